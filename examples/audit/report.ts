/**
 * The report of an audit: what was found in each package, how findings add up, and how a report is
 * written. Adding up is associative and commutative, so that it does not matter which of many
 * agents adds first; the plain reference adds one after the other.
 */
import { isMismatch } from './licence-expression.ts';
import type { Manifest } from './manifest.ts';
import type { FileMeasure } from './packages.ts';

/** What the steps found in one package. */
export interface PackageResult {
  readonly manifest: Manifest;
  readonly measure: FileMeasure;
  /** The licences whose texts it carries. */
  readonly recognised: readonly string[];
}

/**
 * Findings that can be added. Lists are sorted; a package that is there twice counts twice. Names
 * of packages and licences are keys of maps, as they may be any text, also `constructor`.
 */
export interface Tally {
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
  /** How many packages declare a licence. */
  readonly byLicence: ReadonlyMap<string, number>;
  /** `name@version` of packages that declare none. */
  readonly undeclared: readonly string[];
  /** `name@version` of packages whose licence text is another than the declared. */
  readonly mismatched: readonly string[];
  /** `name@version` of packages that run a script when installed. */
  readonly installScripts: readonly string[];
  /** The versions of each name, each once. */
  readonly versions: ReadonlyMap<string, readonly string[]>;
}

/** What an audit found: the part of a report that every audit of the same files agrees on. */
export interface Findings extends Omit<Tally, 'versions'> {
  /** The versions of each name that is there in several. */
  readonly duplicates: ReadonlyMap<string, readonly string[]>;
}

/** The report of an audit by agents: findings, and how the work went. */
export interface AuditReport extends Findings {
  readonly turns: number;
  /** Finished steps by name. */
  readonly steps: Readonly<Record<string, number>>;
  /** Steps that a restart found finished. */
  readonly resumed: number;
  /** Steps that ran again because they were cut off. */
  readonly repeated: number;
}

/** Nothing found yet. */
export const emptyTally: Tally = {
  packages: 0,
  files: 0,
  bytes: 0,
  byLicence: new Map(),
  undeclared: [],
  mismatched: [],
  installScripts: [],
  versions: new Map(),
};

/** One package as a tally. */
export function tallyOf({ manifest, measure, recognised }: PackageResult): Tally {
  const { name, version, licence, hasInstallScript } = manifest;
  const listedIf = (condition: boolean) => (condition ? [`${name}@${version}`] : []);
  return {
    packages: 1,
    files: measure.files,
    bytes: measure.bytes,
    byLicence: new Map(licence === null ? [] : [[licence, 1]]),
    undeclared: listedIf(licence === null),
    mismatched: listedIf(isMismatch(licence, recognised)),
    installScripts: listedIf(hasInstallScript),
    versions: new Map([[name, [version]]]),
  };
}

/** Two tallies as one. */
export function addTallies(one: Tally, other: Tally): Tally {
  const joined = (key: 'undeclared' | 'mismatched' | 'installScripts') =>
    [...one[key], ...other[key]].sort();
  return {
    packages: one.packages + other.packages,
    files: one.files + other.files,
    bytes: one.bytes + other.bytes,
    byLicence: mergeMaps(one.byLicence, other.byLicence, (a, b) => a + b),
    undeclared: joined('undeclared'),
    mismatched: joined('mismatched'),
    installScripts: joined('installScripts'),
    versions: mergeMaps(one.versions, other.versions, (a, b) => [...new Set([...a, ...b])].sort()),
  };
}

/**
 * Many tallies as one, added in pairs: one after the other would go over the sum again and again.
 */
export function sumOf(tallies: readonly Tally[]): Tally {
  let waiting = tallies;
  while (waiting.length > 1) {
    waiting = waiting.flatMap((one, index) => {
      if (index % 2 === 1) return [];
      const other = waiting[index + 1];
      return other === undefined ? [one] : [addTallies(one, other)];
    });
  }
  return waiting[0] ?? emptyTally;
}

/** The findings of a tally. */
export function findingsOf({ versions, ...rest }: Tally): Findings {
  return { ...rest, duplicates: new Map([...versions].filter(([, found]) => found.length > 1)) };
}

/** The findings of all packages. */
export function combine(results: Iterable<PackageResult>): Findings {
  return findingsOf(sumOf(Array.from(results, tallyOf)));
}

/** What became of the steps, of which each task told how often it had begun them. */
export function countSteps(
  tasks: readonly Readonly<Record<string, number>>[],
): Pick<AuditReport, 'steps' | 'repeated'> {
  const steps: Record<string, number> = {};
  let repeated = 0;
  for (const [name, attempt] of tasks.flatMap(attempts => Object.entries(attempts))) {
    steps[name] = (steps[name] ?? 0) + 1;
    repeated += attempt - 1;
  }
  return { steps, repeated };
}

/** The part of a report, in memory or read from a file, that audits of the same files agree on. */
export function comparable<Report extends Readonly<Record<keyof Findings, unknown>>>(
  report: Report,
): Pick<Report, keyof Findings> {
  const { packages, files, bytes, byLicence, undeclared } = report;
  const { mismatched, duplicates, installScripts } = report;
  return {
    packages,
    files,
    bytes,
    byLicence,
    undeclared,
    mismatched,
    duplicates,
    installScripts,
  };
}

/** JSON in which equal values have equal texts: keys sorted, two spaces, a line end. */
export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(value, sortedKeys, 2)}\n`;
}

/** Maps become objects. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mergeMaps<Value>(
  one: ReadonlyMap<string, Value>,
  other: ReadonlyMap<string, Value>,
  merge: (a: Value, b: Value) => Value,
): Map<string, Value> {
  const merged = new Map(one);
  for (const [key, value] of other) {
    const known = merged.get(key);
    merged.set(key, known === undefined ? value : merge(known, value));
  }
  return merged;
}
