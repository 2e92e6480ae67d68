/**
 * A simulated storage device: it outlives the processes that use it, loses what was not flushed
 * when its power fails, and misbehaves when told to. The `Disk` port that processes see stands on
 * it and lives in `sim-disk.ts`; who switches faults on, and when, is left to the world.
 */
import { TroupeError } from '../core/errors.ts';
import type { SimOwner } from './sim-event-heap.ts';
import { type SimChange, type SimInode, sectorBytes } from './sim-inode.ts';
import type { SimRandom } from './sim-random.ts';
import { SimTree } from './sim-tree.ts';

/** What a process can ask of a device. */
export type SimDiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'flush'
  | 'truncate'
  | 'name'
  | 'flush-directory'
  | 'lock';

/** The faults of a device, counted when they take effect: of one kind once for each cause. */
export type SimDiskFault =
  | 'lost-write'
  | 'torn-write'
  | 'lost-name'
  | 'bit-flip'
  | 'misdirected-write'
  | 'disk-full'
  | 'failed-flush'
  | 'failed-write'
  | 'failed-read';

/** What a {@link SimDevice} is made of. */
export interface SimDeviceOptions {
  readonly name: string;
  /** Decides latencies. */
  readonly latency: SimRandom;
  /** Decides what faults destroy. */
  readonly faults: SimRandom;
  readonly onFault: (fault: SimDiskFault) => void;
}

/** Content that was silently changed; a checker forgives what depends on it if it was reported. */
export interface SimDamage {
  readonly kind: 'bit-flip' | 'misdirected-write';
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

// Means in milliseconds, near those of an NVMe drive; a flush in fifty takes ten times as long.
const meanMs: Readonly<Record<SimDiskOperation, number>> = {
  open: 0.03,
  read: 0.02,
  write: 0.015,
  flush: 0.15,
  truncate: 0.03,
  name: 0.03,
  'flush-directory': 0.15,
  lock: 0.05,
};
const failures = { write: 'failed-write', flush: 'failed-flush', read: 'failed-read' } as const;

/** A device with files, switches for faults, and locks. */
export class SimDevice {
  readonly name: string;
  readonly tree: SimTree = new SimTree();
  readonly damage: SimDamage[] = [];
  /** Multiplies every latency: 1 is healthy. */
  slowness = 1;
  /** How many of the next operations of a kind fail. */
  readonly failNext: { write: number; flush: number; read: number } = {
    write: 0,
    flush: 0,
    read: 0,
  };
  /** How many of the next writes land in a wrong place. */
  misdirectNext = 0;
  /**
   * Chooses how likely each unflushed change survives a loss of power; drawn anew each time if
   * absent.
   */
  keptProbability: number | undefined;
  readonly #options: SimDeviceOptions;
  readonly #locks = new Map<string, SimOwner>();
  #isFull = false;
  #isFullCounted = false;

  constructor(options: SimDeviceOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Whether no space is left: nothing can grow. */
  get isFull(): boolean {
    return this.#isFull;
  }

  set isFull(isFull: boolean) {
    this.#isFull = isFull;
    this.#isFullCounted = false;
  }

  /** How long an operation takes. */
  latencyMs(operation: SimDiskOperation): number {
    const { latency } = this.#options;
    const isTail = latency.chance(0.02);
    const usual = meanMs[operation] * (0.5 + latency.exponential(0.5)) * (isTail ? 10 : 1);
    return usual * this.slowness;
  }

  /** @throws `ENGINE_FAILED` when the switch says that this operation fails. */
  failIfTold(operation: keyof typeof failures, path: string): void {
    if (this.failNext[operation] === 0) return;
    this.failNext[operation]--;
    this.#options.onFault(failures[operation]);
    throw new TroupeError('ENGINE_FAILED', {
      detail: `${this.name}: the device refused to ${operation} ${path}`,
      outcome: 'unknown',
    });
  }

  /** @throws `DISK_FULL` when something has to grow and the device is full. */
  failIfFull(path: string): void {
    if (!this.isFull) return;
    if (!this.#isFullCounted) this.#options.onFault('disk-full');
    this.#isFullCounted = true;
    throw new TroupeError('DISK_FULL', { detail: `${this.name} has no space left for ${path}` });
  }

  /** Where a write really lands: in its place, unless it is misdirected. */
  aim(inode: SimInode, change: SimChange): { inode: SimInode; change: SimChange } {
    if (this.misdirectNext === 0 || change.kind !== 'write') return { inode, change };
    const { faults } = this.#options;
    const [path, target] = faults.pick([...this.tree.files]) ?? [];
    if (path === undefined || target === undefined || target.current.size === 0) {
      return { inode, change };
    }
    const sectors = Math.ceil(target.current.size / sectorBytes);
    const offset = faults.below(sectors) * sectorBytes;
    if (target === inode && offset === change.offset) return { inode, change };
    this.misdirectNext--;
    this.#options.onFault('misdirected-write');
    this.damage.push({ kind: 'misdirected-write', path, offset, bytes: change.bytes.length });
    return { inode: target, change: { ...change, offset } };
  }

  /** How much of an append on a full device lands before the device says so. */
  shortWriteBytes(length: number): number {
    return this.#options.faults.chance(0.5) ? this.#options.faults.below(length) : 0;
  }

  /** A flush that fails takes what it should have written with it. */
  failFlush(inode: SimInode, changes: ReadonlySet<SimChange>): void {
    inode.failFlush(changes, this.#options.faults);
  }

  /** Turns over one random bit of a random file whose path passes. Tells whether there was one. */
  flipBit(isEligible: (path: string) => boolean = () => true): SimDamage | undefined {
    const { faults } = this.#options;
    const files = [...this.tree.files].filter(
      ([path, inode]) => inode.current.size > 0 && isEligible(path),
    );
    const [path, inode] = faults.pick(files) ?? [];
    if (path === undefined || inode === undefined) return undefined;
    const damage = {
      kind: 'bit-flip',
      path,
      offset: faults.below(inode.current.size),
      bytes: 1,
    } as const;
    inode.flip(damage.offset, faults.below(8));
    this.damage.push(damage);
    this.#options.onFault('bit-flip');
    return damage;
  }

  /** @throws `DATA_LOCKED` when another holder lives. */
  lock(path: string, owner: SimOwner): void {
    const holder = this.#locks.get(path);
    if (holder?.isAlive === true) {
      throw new TroupeError('DATA_LOCKED', {
        detail: `${path} on ${this.name} is held by ${holder.label}`,
      });
    }
    this.#locks.set(path, owner);
  }

  unlock(path: string): void {
    this.#locks.delete(path);
  }

  /** A process on this device died; the machine did not. */
  ownerDied(owner: SimOwner): void {
    for (const inode of this.tree.files.values()) inode.dropInFlight(owner, this.#options.faults);
    for (const [path, holder] of this.#locks) if (holder === owner) this.#locks.delete(path);
  }

  /** The machine lost its power: only what was flushed is sure to be there. */
  losePower(): void {
    const { faults, onFault } = this.#options;
    const kept = this.keptProbability ?? faults.pick([0, 0.2, 0.5, 0.8, 1]) ?? 0;
    if (this.tree.losePower(faults) > 0) onFault('lost-name');
    let lost = 0;
    let torn = 0;
    // After the names: a file that a lost rename had replaced is back, and may have lost writes
    // too.
    for (const inode of this.tree.files.values()) {
      const loss = inode.losePower(kept, faults);
      lost += loss.lost;
      torn += loss.torn;
    }
    if (lost > 0) onFault('lost-write');
    if (torn > 0) onFault('torn-write');
    this.#locks.clear();
  }
}
