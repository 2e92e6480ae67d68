/**
 * Copies of a store with one flipped bit. What an opening store writes in place is copied (the last
 * segment and `meta`), so is the damaged file; everything else is a link to the original, whose
 * bytes are looked after.
 */
import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SimRandom } from '../../src/testing/sim-random.ts';

/** A file of a store. */
interface StoreFile {
  readonly path: string;
  readonly size: number;
}

/** Where a bit is flipped. */
export interface FlipPlace {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
}

/** The files of a store, by path. */
export function filesOf(directory: string): StoreFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path: path.slice(directory.length + 1), size: statSync(path).size }))
    .filter(({ size }) => size > 0)
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Draws a place: by size, and one time in ten of any file, as small ones are as important. */
export function drawPlace(files: readonly StoreFile[], draw: SimRandom): FlipPlace {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const isAnyFile = draw.chance(0.1);
  let place = draw.below(total);
  const bit = draw.below(8);
  const picked = draw.pick(files);
  if (isAnyFile && picked !== undefined) {
    return { path: picked.path, offset: draw.below(picked.size), bit };
  }
  for (const { path, size } of files) {
    if (place < size) return { path, offset: place, bit };
    place -= size;
  }
  throw new Error('a store has bytes');
}

/** Makes a copy of a store with a flipped bit. */
export function copyWithFlip(source: string, target: string, flip: FlipPlace): void {
  rmSync(target, { recursive: true, force: true });
  const files = filesOf(source);
  const last = files.findLast(({ path }) => path.startsWith('log/'))?.path;
  for (const { path } of files) {
    const isCopied = path === flip.path || path === last || path === 'meta' || path === 'lock';
    mkdirSync(dirname(join(target, path)), { recursive: true });
    if (isCopied) copyFileSync(join(source, path), join(target, path));
    else linkSync(join(source, path), join(target, path));
  }
  flipIn(join(target, flip.path), flip);
}

/** A text that changes when a file of a store does. */
export function stampOf(directory: string): string {
  const stats = filesOf(directory).map(({ path }) => ({
    path,
    ...statSync(join(directory, path)),
  }));
  return stats.map(({ path, size, mtimeMs }) => `${path} ${size} ${mtimeMs}`).join('\n');
}

function flipIn(path: string, { offset, bit }: FlipPlace): void {
  const file = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  if (readSync(file, byte, 0, 1, offset) !== 1) throw new Error(`${path} has no byte ${offset}`);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}
