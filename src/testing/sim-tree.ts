/**
 * The names on a simulated device: files and directories as processes see them, and as the device
 * would show them after a loss of power. A change of names is durable once one of the directories
 * it touches was flushed; without that, a loss of power keeps the changes up to some moment, as
 * file systems with a journal do.
 */
import { TroupeError } from '../core/errors.ts';
import { SimInode } from './sim-inode.ts';
import type { SimRandom } from './sim-random.ts';

interface Names {
  readonly files: Map<string, SimInode>;
  readonly directories: Set<string>;
}

interface NameChange {
  readonly touches: readonly string[];
  readonly apply: (names: Names) => void;
}

/** Names of files and directories, with what a loss of power would leave of them. */
export class SimTree {
  #current: Names = { files: new Map(), directories: new Set(['']) };
  readonly #durable: Names = { files: new Map(), directories: new Set(['']) };
  #pending: NameChange[] = [];

  /** Every file that can be reached now, by path. */
  get files(): ReadonlyMap<string, SimInode> {
    return this.#current.files;
  }

  /** Whether there is a file or directory of that path. */
  has(path: string): boolean {
    return this.#current.files.has(path) || this.#current.directories.has(path);
  }

  /** Makes an empty file. */
  create(path: string): SimInode {
    this.#requireDirectory(parentOf(path), path);
    if (this.#current.directories.has(path)) throw failure(`${path} is a directory`);
    const inode = new SimInode();
    this.#change([parentOf(path)], names => names.files.set(path, inode));
    return inode;
  }

  rename(source: string, target: string): void {
    const inode = this.#current.files.get(source);
    if (inode === undefined) throw failure(`${source} is no file`);
    this.#requireDirectory(parentOf(target), target);
    if (this.#current.directories.has(target)) throw failure(`${target} is a directory`);
    this.#change([parentOf(source), parentOf(target)], names => {
      names.files.delete(source);
      names.files.set(target, inode);
    });
  }

  remove(path: string): void {
    if (this.#current.directories.has(path)) throw failure(`${path} is a directory`);
    if (!this.#current.files.has(path)) return;
    this.#change([parentOf(path)], names => names.files.delete(path));
  }

  makeDirectory(path: string): void {
    if (this.#current.directories.has(path)) return;
    if (this.#current.files.has(path)) throw failure(`${path} is a file`);
    this.makeDirectory(parentOf(path));
    this.#change([parentOf(path)], names => names.directories.add(path));
  }

  /** The names directly below a directory, sorted. */
  list(path: string): string[] {
    const names = new Set<string>();
    for (const each of [...this.#current.files.keys(), ...this.#current.directories]) {
      if (each !== '' && parentOf(each) === path)
        names.add(each.slice(path === '' ? 0 : path.length + 1));
    }
    return [...names].sort();
  }

  /** Makes durable what touched this directory, and whatever that depends on. */
  flush(path: string): void {
    this.#requireDirectory(path, path);
    const touched = new Set([path]);
    const flushed = new Set<NameChange>();
    for (const change of this.#pending.toReversed()) {
      if (!change.touches.some(each => touched.has(each))) continue;
      flushed.add(change);
      for (const each of change.touches) touched.add(each);
    }
    for (const change of this.#pending) if (flushed.has(change)) change.apply(this.#durable);
    this.#pending = this.#pending.filter(change => !flushed.has(change));
  }

  /** Power is lost. Returns how many changes of names went with it. */
  losePower(random: SimRandom): number {
    const kept = random.below(this.#pending.length + 1);
    for (const change of this.#pending.slice(0, kept)) change.apply(this.#durable);
    const lost = this.#pending.length - kept;
    this.#pending = [];
    this.#dropOrphans();
    this.#current = {
      files: new Map(this.#durable.files),
      directories: new Set(this.#durable.directories),
    };
    return lost;
  }

  /**
   * What lies in a directory that is not durable cannot be reached, however often it was flushed.
   */
  #dropOrphans(): void {
    const { files, directories } = this.#durable;
    // Parents are shorter than what they hold.
    for (const path of [...directories].sort((left, right) => left.length - right.length)) {
      if (path !== '' && !directories.has(parentOf(path))) directories.delete(path);
    }
    for (const path of [...files.keys()]) if (!directories.has(parentOf(path))) files.delete(path);
  }

  #change(touches: readonly string[], apply: (names: Names) => void): void {
    apply(this.#current);
    this.#pending.push({ touches, apply });
  }

  #requireDirectory(directory: string, path: string): void {
    if (!this.#current.directories.has(directory)) {
      throw failure(`${path}: there is no directory ${directory === '' ? '.' : directory}`);
    }
  }
}

/** The one spelling of a path: no leading, trailing, double or single-dot parts. */
export function normalisePath(path: string): string {
  const parts = path.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..')) throw failure(`${path} leaves the root of the disk`);
  return parts.join('/');
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function failure(detail: string): TroupeError {
  return new TroupeError('ENGINE_FAILED', { detail, outcome: 'not-executed' });
}
