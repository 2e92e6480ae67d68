/**
 * The packages below a folder, read from the disk in the four steps of an audit. These functions
 * are all that the audit by agents and the plain reference share; neither follows symbolic links.
 * Paths below the surface are bytes, because a file may have a name that is not UTF-8.
 */
import { type FileHandle, lstat, open, readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decodeText, recogniseLicences } from './licence-text.ts';
import { type Manifest, parseManifest } from './manifest.ts';

/** The regular files of a package. */
export interface FileMeasure {
  readonly files: number;
  readonly bytes: number;
}

/** A larger `package.json` is taken for damage, and its folder for no package. */
export const manifestBytesMax = 16 * 1024 * 1024;

/** So much of a licence file is looked at; the longest in common use has 35 KB. */
export const licenceBytesMax = 1024 * 1024;

/**
 * The folders of all packages below `folder`, relative to it, with `/`, sorted.
 *
 * @remarks A package is a folder directly below a `node_modules` or one of its `@scope` folders, at
 * any depth, with a name and a version in its `package.json`. `folder` may be a `node_modules`.
 */
export async function listPackages(folder: string): Promise<string[]> {
  const root = await realpath(folder);
  const found: string[] = [];
  const waiting = await foldersIn(root, {
    path: '',
    isModules: basename(root) === modulesName,
    isScope: false,
    isCandidate: false,
  });
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { path, isCandidate } = place;
    if (isCandidate && (await readManifest(join(root, path))) !== undefined) found.push(path);
    waiting.push(...(await foldersIn(root, place)));
  }
  return found.sort();
}

/** What the package in a folder says of itself; `undefined` when the folder holds no package. */
export async function readManifest(packageFolder: string): Promise<Manifest | undefined> {
  const bytes = await readStart(Buffer.from(join(packageFolder, 'package.json')), manifestBytesMax);
  if (bytes === undefined || bytes.length > manifestBytesMax) return undefined;
  return parseManifest(decodeText(bytes));
}

/**
 * Counts the regular files of a package: those below it, but not below a further `node_modules`.
 */
export async function measureFiles(packageFolder: string): Promise<FileMeasure> {
  let files = 0;
  let bytes = 0;
  for await (const path of filesBelow(Buffer.from(packageFolder))) {
    const size = await sizeOf(path);
    if (size === undefined) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}

/** The licences whose texts stand in the licence files of a package, sorted, each once. */
export async function recogniseLicence(packageFolder: string): Promise<string[]> {
  const folder = Buffer.from(packageFolder);
  const found = new Set<string>();
  for (const entry of await entriesOf(folder)) {
    if (!entry.isFile || !licenceFile.test(entry.name.toString('latin1'))) continue;
    const bytes = await readStart(below(folder, entry.name), licenceBytesMax);
    if (bytes === undefined) continue;
    for (const licence of recogniseLicences(decodeText(bytes))) found.add(licence);
  }
  return [...found].sort();
}

const modulesName = 'node_modules';
const modulesBytes = Buffer.from(modulesName);
const slash = Buffer.from('/');
const licenceFile = /^(licen[sc]e|copying)/i;

interface Place {
  /** Relative to the root. */
  readonly path: string;
  /** Whether the folder is a `node_modules`. */
  readonly isModules: boolean;
  /** Whether it is the folder of a scope, directly below a `node_modules`. */
  readonly isScope: boolean;
  /** Whether it lies where packages lie. */
  readonly isCandidate: boolean;
}

async function foldersIn(root: string, parent: Place): Promise<Place[]> {
  const entries = await entriesOf(Buffer.from(join(root, parent.path)));
  return entries
    .filter(entry => entry.isFolder)
    .map(entry => {
      const name = utf8Name(entry.name, parent.path);
      return {
        path: parent.path === '' ? name : `${parent.path}/${name}`,
        isModules: name === modulesName,
        isScope: parent.isModules && name.startsWith('@'),
        isCandidate: parent.isModules || parent.isScope,
      };
    });
}

async function* filesBelow(folder: Buffer): AsyncGenerator<Buffer> {
  for (const { name, isFile, isFolder } of await entriesOf(folder)) {
    if (isFile) yield below(folder, name);
    if (isFolder && !name.equals(modulesBytes)) yield* filesBelow(below(folder, name));
  }
}

interface Entry {
  readonly name: Buffer;
  readonly isFolder: boolean;
  readonly isFile: boolean;
}

/** What is in a folder; nothing when the folder is gone meanwhile. Links are neither kind. */
async function entriesOf(folder: Buffer): Promise<Entry[]> {
  const options = { encoding: 'buffer', withFileTypes: true } as const;
  const entries = (await unlessGone(readdir(folder, options))) ?? [];
  return entries.map(entry => ({
    name: entry.name,
    isFolder: entry.isDirectory(),
    isFile: entry.isFile(),
  }));
}

async function sizeOf(path: Buffer): Promise<number | undefined> {
  const facts = await unlessGone(lstat(path));
  return facts?.isFile() ? facts.size : undefined;
}

/** Up to one byte more than `bytesMax`, so that the caller sees that there are more. */
async function readStart(path: Buffer, bytesMax: number): Promise<Uint8Array | undefined> {
  const size = await sizeOf(path);
  if (size === undefined) return undefined;
  const file = await unlessGone(open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    return await readBytes(file, Math.min(size, bytesMax + 1));
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** A file that somebody removes during the audit is none of its business; all else is an error. */
async function unlessGone<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function below(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, slash, name]);
}

function utf8Name(name: Buffer, folder: string): string {
  const text = name.toString();
  if (Buffer.from(text).equals(name)) return text;
  throw new Error(`the folder "${folder}/${text}" has a name that is not UTF-8; rename it`);
}
