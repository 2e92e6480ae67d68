/**
 * The files of the repository, or of a fixture, as the tidy rules see them: texts by path, and the
 * syntax trees of the TypeScript among them. Parsing is left to the compiler's own interface.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { computeLineStarts, type Node, type SourceFile } from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

/** A TypeScript file. */
export interface Source {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly syntax: SourceFile;
  /** The position at which each line begins. */
  readonly lineStarts: readonly number[];
}

/** What a rule looks at. */
export interface Tree {
  readonly files: ReadonlyMap<string, string>;
  readonly sources: readonly Source[];
}

/** One thing that must hold for the tree; a complaint names the place. */
export interface Rule {
  readonly name: string;
  check(tree: Tree): string[];
}

/** A tree of these texts by path. */
export function treeOf(texts: Readonly<Record<string, string>>): Tree {
  const paths = Object.keys(texts).filter(path => path.endsWith('.ts'));
  const root = '/tree';
  const configuration = JSON.stringify({
    compilerOptions: { noLib: true, noResolve: true, types: [], module: 'nodenext' },
    files: paths,
  });
  const virtual: Record<string, string> = { [`${root}/tsconfig.json`]: configuration };
  for (const path of paths) virtual[`${root}/${path}`] = texts[path] ?? '';
  const sources = parse(root, virtual, paths);
  return { files: new Map(Object.entries(texts)), sources };
}

/** The tree below a folder on disk, without what is generated or installed. */
export function treeOnDisk(root: string): Tree {
  const texts: Record<string, string> = {};
  collect(root, '', texts);
  return treeOf(texts);
}

/** Calls `visit` for a node and all below it. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild(child => {
    walk(child, visit);
    return undefined;
  });
}

/** `path:line` of a node. */
export function placeOf(source: Source, node: Node): string {
  return `${source.path}:${lineOf(source, node.getStart(source.syntax)) + 1}`;
}

/** The line of a position, from 0. */
export function lineOf(source: Source, position: number): number {
  const behind = source.lineStarts.findIndex(start => start > position);
  return (behind < 0 ? source.lineStarts.length : behind) - 1;
}

function parse(root: string, virtual: Record<string, string>, paths: readonly string[]): Source[] {
  if (paths.length === 0) return [];
  const api = new API({ cwd: root, fs: createVirtualFileSystem(virtual) });
  const snapshot = api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] });
  try {
    const program = snapshot.getProjects()[0]?.program;
    return paths.map(path => {
      const syntax = program?.getSourceFile(`${root}/${path}`);
      if (syntax === undefined) throw new Error(`${path} cannot be parsed`);
      return { path, text: syntax.text, syntax, lineStarts: computeLineStarts(syntax.text) };
    });
  } finally {
    snapshot.dispose();
    api.close();
  }
}

const skippedFolders = new Set(['node_modules', 'dist', 'coverage', 'data', '.git', '.cache']);
const textFile = /\.(ts|js|json|md|yml|yaml|sh|html|css)$|^\.ci\/run$/;

function collect(root: string, folder: string, texts: Record<string, string>): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !skippedFolders.has(entry.name)) collect(root, path, texts);
    if (entry.isFile() && textFile.test(path)) texts[path] = readFileSync(join(root, path), 'utf8');
  }
}
