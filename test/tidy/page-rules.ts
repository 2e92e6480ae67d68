/** Rules between the code and what is written about it: errors, folders, the lock file. */
import type { Rule, Tree } from './tree.ts';

const codesPath = 'src/core/error-codes.ts';
const errorsPage = 'docs/reference/errors.md';
const foldersPage = 'docs/contributing.md';
const registry = 'https://registry.npmjs.org/';

/** The page of errors has each code, and each code is on the page. */
export const errorsOnPage: Rule = {
  name: `${errorsPage} and ${codesPath} name the same codes`,
  check: tree => {
    const page = tree.files.get(errorsPage) ?? '';
    const onPage = new Set([...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(match => match[1]));
    const codes = codesOf(tree);
    return [
      ...codes.filter(code => !onPage.has(code)).map(code => `${errorsPage} lacks ${code}`),
      ...[...onPage]
        .filter(code => !codes.includes(code ?? ''))
        .map(code => `${errorsPage} has ${code}, which does not exist`),
    ];
  },
};

/** Codes of what only several nodes can run into: the package has one node, nothing raises them. */
export const unraisedCodes: readonly string[] = [
  'NO_CAPACITY',
  'CIRCUIT_OPEN',
  'POOL_EXHAUSTED',
  'PARTITIONED',
  'WRONG_OWNER',
  'TRANSACTION_ABORTED',
];

/** Each code that the code raises is provoked by a test. */
export const errorsProvoked: Rule = errorsProvokedExcept(unraisedCodes);

/** The same with another list of codes that nothing raises. */
export function errorsProvokedExcept(unraised: readonly string[]): Rule {
  return {
    name: 'each error code is provoked by a test',
    check: tree => {
      const raised = quotedIn(tree, path => isSource(path) && !isLaw(path));
      const thrown = thrownIn(tree, path => isSource(path) && !isKit(path));
      const provoked = quotedIn(tree, path => isTest(path) || isLaw(path));
      const isExcused = (code: string) => unraised.includes(code);
      const codes = codesOf(tree);
      const expected = codes.filter(code => !isExcused(code));
      return [
        ...codes
          .filter(code => isExcused(code) && thrown.has(code))
          .map(code => `${code} is raised: take it off the list of those that are not`),
        ...expected
          .filter(code => !raised.has(code))
          .map(code => `${code} is raised nowhere in src`),
        ...expected
          .filter(code => !provoked.has(code))
          .map(code => `${code} is provoked nowhere in test`),
      ];
    },
  };
}

/** A newcomer finds a sentence about each folder of src, and none about folders that are not. */
export const folderSentences: Rule = {
  name: `${foldersPage} has a sentence for each folder of src`,
  check: tree => {
    const page = tree.files.get(foldersPage) ?? '';
    const rows = new Map(
      [...page.matchAll(/^\| `src\/([a-z/-]+)\/` \| (.+) \|$/gm)].map(([, folder, sentence]) => [
        folder ?? '',
        sentence ?? '',
      ]),
    );
    const folders = new Set(
      tree.sources.flatMap(({ path }) => /^src\/(.+)\/[^/]+$/.exec(path)?.[1] ?? []),
    );
    return [
      ...[...folders]
        .filter(folder => !/\w+ \w+.*[.:]/.test(rows.get(folder) ?? ''))
        .map(folder => `${foldersPage} has no sentence for src/${folder}/`),
      ...[...rows.keys()]
        .filter(folder => !folders.has(folder))
        .map(folder => `${foldersPage} has a sentence for src/${folder}/, which is not there`),
    ];
  },
};

/**
 * Whoever installs gets the packages from the public registry, with their hashes checked, on every
 * platform: `npm ci` refuses a lock file in which an optional package is missing.
 */
export const publicLock: Rule = {
  name: 'package-lock.json is complete, hashed, and names no private registry',
  check: tree => {
    const { packages = {} } = JSON.parse(tree.files.get('package-lock.json') ?? '{}') as Lock;
    return Object.entries(packages).flatMap(([path, entry]) => {
      const { resolved, integrity, optionalDependencies = {} } = entry;
      const missing = Object.keys(optionalDependencies).filter(
        name => !placesOf(name, path).some(place => packages[place] !== undefined),
      );
      const isPublic = resolved === undefined || resolved.startsWith(registry);
      return [
        ...(isPublic ? [] : [`${path} comes from ${resolved}`]),
        ...(integrity === undefined && path !== '' ? [`${path} has no hash`] : []),
        ...missing.map(name => `${path} may need ${name}, which is not in the lock file`),
      ];
    });
  },
};

interface Lock {
  readonly packages?: Record<string, LockEntry>;
}

interface LockEntry {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Record<string, string>;
}

/** Where Node looks for a package from the folder of another, nearest first. */
function placesOf(name: string, from: string): string[] {
  const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  const parent = from.lastIndexOf('/node_modules/');
  if (from === '') return [place];
  return [place, ...placesOf(name, parent < 0 ? '' : from.slice(0, parent))];
}

function codesOf(tree: Tree): string[] {
  const text = tree.files.get(codesPath) ?? '';
  return [...text.matchAll(/^ {2}([A-Z_]+): \{/gm)].map(match => match[1] ?? '');
}

const isSource = (path: string) => path.startsWith('src/') && path !== codesPath;
const isLaw = (path: string) => /^src\/testing\/.*laws?\.ts$/.test(path);
/** The simulator's agents throw what any agent may. */
const isKit = (path: string) => path.startsWith('src/testing/');
const isTest = (path: string) => /^test\/(?!tidy)/.test(path);

/** Codes of errors that are made; a list of codes to look for makes none. */
function thrownIn(tree: Tree, isWanted: (path: string) => boolean): Set<string> {
  const texts = [...tree.files].filter(([path]) => isWanted(path)).map(([, text]) => text);
  const made = /(?<=\b(?:TroupeError|wrapError)\(\s*['"])[A-Z]+(?:_[A-Z]+)*/g;
  return new Set(texts.flatMap(text => text.match(made) ?? []));
}

function quotedIn(tree: Tree, isWanted: (path: string) => boolean): Set<string> {
  const texts = [...tree.files].filter(([path]) => isWanted(path)).map(([, text]) => text);
  return new Set(texts.flatMap(text => text.match(/(?<=['"])[A-Z]+(?:_[A-Z]+)*(?=['"])/g) ?? []));
}
