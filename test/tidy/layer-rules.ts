/**
 * The rules of the tree: arrows go one way, no import goes in a circle, folders have one level, and
 * no file lies dead.
 */
import { isExportDeclaration, isNamedExports } from 'typescript/unstable/ast';
import { filesNamedIn, importsOf } from './imports.ts';
import { placeOf, type Rule, type Source, type Tree } from './tree.ts';

/** The folders of `src`; a folder may import only from those behind it. */
export const layers: readonly string[] = [
  'cli',
  'gateway',
  'ai',
  'testing',
  'node',
  'coordination',
  'client',
  'lifecycle',
  'delivery',
  'routing',
  'cluster',
  'transport',
  'mailbox',
  'agent',
  'state',
  'crdt',
  'ports',
  'resilience',
  'telemetry',
  'core',
];

const seenByEngines = new Set(['ports', 'resilience', 'telemetry', 'core']);
const seenByCoordination = new Set(['client', 'core']);
const seesEngines = new Set(['node', 'testing']);

/** Imports go to the right only, type imports included. */
export const layerOrder: Rule = {
  name: 'a folder imports only from folders to its right',
  check: tree =>
    sourcesIn(tree, 'src/').flatMap(source =>
      importsOf(source).flatMap(({ target, specifier, node }) => {
        const complaint = target === undefined ? undefined : complaintAbout(source.path, target);
        return complaint === undefined
          ? []
          : [`${placeOf(source, node)} imports ${specifier}: ${complaint}`];
      }),
    ),
};

/** No file leads back to itself, over type imports neither. */
export const noCycles: Rule = {
  name: 'imports do not go in a circle',
  check: tree => {
    const edges = new Map(
      sourcesIn(tree, '').map(source => [
        source.path,
        importsOf(source).flatMap(({ target }) => target ?? []),
      ]),
    );
    return cyclesOf(edges).map(cycle => cycle.join(' -> '));
  },
};

/** `src/<folder>/<file>.ts`, only engines one level deeper; no other folders than the known. */
export const folderDepth: Rule = {
  name: 'no folder of src is deeper than it may be, or unknown',
  check: tree =>
    sourcesIn(tree, 'src/').flatMap(({ path }) => {
      const [, folder = '', ...rest] = path.split('/');
      if (path === 'src/index.ts') return [];
      if (folder !== 'engines' && !layers.includes(folder)) return [`${path}: unknown folder`];
      const depth = folder === 'engines' ? 2 : 1;
      return rest.length === depth ? [] : [`${path} is not ${depth} below src/${folder}`];
    }),
};

/** The public surface names each thing it offers. */
export const surfaceOnlyReExports: Rule = {
  name: 'src/index.ts re-exports names one by one and does nothing else',
  check: tree =>
    sourcesIn(tree, 'src/index.ts').flatMap(source =>
      source.syntax.statements.flatMap(statement =>
        isExportDeclaration(statement) &&
        statement.moduleSpecifier !== undefined &&
        statement.exportClause !== undefined &&
        isNamedExports(statement.exportClause)
          ? []
          : [`${placeOf(source, statement)} is not \`export { … } from\``],
      ),
    ),
};

/** Every file is used by an entry point of the package, a script, a page of the docs, or a test. */
export const noDeadFiles: Rule = {
  name: 'no file is dead',
  check: tree => {
    const byPath = new Map(tree.sources.map(source => [source.path, source]));
    const reached = new Set<string>();
    const waiting = entryPoints(tree);
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const source = byPath.get(path);
      if (source === undefined || reached.has(path)) continue;
      reached.add(path);
      waiting.push(...importsOf(source).flatMap(({ target }) => target ?? []));
      waiting.push(...filesNamedIn(source));
    }
    return [...byPath.keys()]
      .filter(path => !reached.has(path))
      .map(path => `${path} is reached from nowhere`);
  },
};

/** The sources whose path begins so. */
export function sourcesIn(tree: Tree, prefix: string): Source[] {
  return tree.sources.filter(source => source.path.startsWith(prefix));
}

function complaintAbout(from: string, to: string): string | undefined {
  if (!to.startsWith('src/')) return 'it lies outside src';
  if (to === 'src/index.ts') return 'the public surface is for users';
  const [source, target] = [folderOf(from), folderOf(to)];
  if (source === 'index.ts') return undefined;
  if (source === 'engines') return complaintAboutEngine(from, to, target);
  if (target === 'engines') {
    return seesEngines.has(source) ? undefined : 'only node and testing know the engines';
  }
  if (source === target) return undefined;
  if (source === 'coordination' && !seenByCoordination.has(target)) {
    return 'coordination stands on client and core alone';
  }
  return layers.indexOf(source) < layers.indexOf(target)
    ? undefined
    : `${target} lies left of ${source}`;
}

function complaintAboutEngine(from: string, to: string, target: string): string | undefined {
  if (seenByEngines.has(target)) return undefined;
  const engineOf = (path: string) => path.split('/')[2];
  if (target === 'engines' && engineOf(from) === engineOf(to)) return undefined;
  return `engines import only ${[...seenByEngines].join(', ')} and their own folder`;
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** One cycle for each file that an unfinished walk meets again (depth-first search). */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const isDone = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (isDone.has(path)) return;
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path]);
      return;
    }
    trail.push(path);
    for (const next of edges.get(path) ?? []) visit(next);
    trail.pop();
    isDone.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return cycles;
}

const pathInText = /(?:src|test|examples|bench|scripts)\/[\w./-]+\.ts/g;
const builtInText = /dist\/([\w./-]+)\.js/g;

function entryPoints(tree: Tree): string[] {
  const found = tree.sources
    .map(source => source.path)
    .filter(path => /\.test\.ts$|^test\/types\/|^[^/]+$/.test(path));
  for (const [path, text] of tree.files) {
    if (!/^(package\.json|\.ci\/run|README\.md|docs\/.*\.md|bin\/.*\.js)$/.test(path)) continue;
    found.push(...(text.match(pathInText) ?? []));
    for (const match of text.matchAll(builtInText)) found.push(`src/${match[1]}.ts`);
  }
  return found;
}
