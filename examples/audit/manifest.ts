/**
 * What an audit reads in a `package.json`: whether it makes its folder a package, the licence that
 * it declares, and whether installing runs a script. Pure: text in, facts out.
 */

/** What a package says of itself. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** The declared licence as one text, or `null` when there is none. */
  readonly licence: string | null;
  /** Whether installing it runs a script: preinstall, install or postinstall. */
  readonly hasInstallScript: boolean;
}

/** The manifest in the text of a `package.json`, or `undefined` when that makes no package. */
export function parseManifest(text: string): Manifest | undefined {
  const content = parseObject(text);
  const name = textIn(content?.name);
  const version = textIn(content?.version);
  if (content === undefined || name === undefined || version === undefined) return undefined;
  return {
    name,
    version,
    licence: declaredLicence(content.license) ?? declaredLicence(content.licenses) ?? null,
    hasInstallScript: hasInstallScript(content.scripts),
  };
}

interface Content {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly license?: unknown;
  readonly licenses?: unknown;
  readonly scripts?: unknown;
}

function parseObject(text: string): Content | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: a folder with such a file is no package.
  }
}

/** A text, a `{ type }`, or an array of these joined with OR; what is none of them is left out. */
function declaredLicence(value: unknown): string | undefined {
  if (!Array.isArray(value)) return textIn(isObject(value) ? value.type : value);
  const parts = value.flatMap(part => declaredLicence(part) ?? []);
  return parts.length === 0 ? undefined : parts.join(' OR ');
}

function hasInstallScript(scripts: unknown): boolean {
  if (!isObject(scripts)) return false;
  return ['preinstall', 'install', 'postinstall'].some(name => textIn(scripts[name]) !== undefined);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textIn(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}
