/**
 * The notation of configuration files of NATS servers, written from plain values. Texts are always
 * quoted, so that none is taken for a number, a size or a variable.
 */

/** A value in a configuration. */
export type ConfigValue =
  | string
  | number
  | boolean
  | readonly ConfigValue[]
  | { readonly [name: string]: ConfigValue | undefined };

/** Fields with their comments: a name that begins with `#` is a comment before the next field. */
export type ConfigFields = { readonly [name: string]: ConfigValue | undefined };

/** The text of a configuration file. */
export function configText(fields: ConfigFields): string {
  return `${linesOf(fields, '').join('\n')}\n`;
}

function linesOf(fields: ConfigFields, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name.startsWith('#')) return [`${indent}# ${String(value)}`];
    return [`${indent}${nameOf(name)}: ${valueText(value, indent)}`];
  });
}

function valueText(value: ConfigValue, indent: string): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  const inner = `${indent}  `;
  if (!isList(value)) return `{\n${linesOf(value, inner).join('\n')}\n${indent}}`;
  if (value.length === 0) return '[]';
  const items = value.map(item => `${inner}${valueText(item, inner)}`);
  return `[\n${items.join('\n')}\n${indent}]`;
}

function isList(value: object): value is readonly ConfigValue[] {
  return Array.isArray(value);
}

function nameOf(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}
