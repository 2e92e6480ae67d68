/**
 * What can go wrong with a store, on switches. A fault fires because a test asked for it next, or
 * because a rate and the seeded randomness say so; nothing else decides, so the same seed gives the
 * same faults. The engines ask once per write and do the damage themselves.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Random } from '../../ports/random.ts';

/**
 * The faults of a write: `conflict` although the condition holds; `unavailable` and `full`, surely
 * not stored; `unknown-stored` and `unknown-not-stored`, the two sides of a lost answer;
 * `unknown-late`, stored only later, if its condition still holds then.
 */
export type WriteFault =
  | 'conflict'
  | 'unavailable'
  | 'full'
  | 'unknown-stored'
  | 'unknown-not-stored'
  | 'unknown-late';

/** The fault of a read: it shows an older state, and says that it may. */
export type ReadFault = 'stale';

/** When a write that lands late does so: after so many other operations, or after so long. */
export interface LateLanding {
  readonly afterOperations?: number | undefined;
  /** Needs a clock. */
  readonly afterMs?: number | undefined;
}

/** What a fault that is asked for may say beside its kind. */
export interface NextFault extends LateLanding {
  /** How many times in a row (default 1). */
  readonly times?: number | undefined;
  /** Only for this log or key. */
  readonly name?: string | undefined;
  /** How many records a stale read hides (default 1). */
  readonly hidden?: number | undefined;
}

/** A fault that fires now. */
export interface DrawnFault extends NextFault {
  readonly kind: WriteFault | ReadFault;
}

interface Waiting {
  readonly fault: DrawnFault;
  left: number;
}

const writeKinds: readonly WriteFault[] = [
  'conflict',
  'unavailable',
  'full',
  'unknown-stored',
  'unknown-not-stored',
  'unknown-late',
];

/** The switches of a memory engine. All are off at first. */
export class MemoryFaults {
  /** While true, every operation is refused as unavailable. */
  isUnavailable = false;
  /** While true, every write is refused because there is no space; reads go on. */
  isFull = false;
  readonly #random: Random | undefined;
  readonly #rates = new Map<DrawnFault['kind'], number>();
  readonly #fired = new Map<DrawnFault['kind'], number>();
  #waiting: Waiting[] = [];

  constructor(random?: Random) {
    this.#random = random;
  }

  /** Makes the next matching write (or read, for `stale`) fail so. Earlier requests fire first. */
  next(kind: DrawnFault['kind'], options: NextFault = {}): void {
    this.#waiting.push({ fault: { ...options, kind }, left: options.times ?? 1 });
  }

  /** Makes each write (or read, for `stale`) fail so with this probability. Needs randomness. */
  rate(kind: DrawnFault['kind'], probability: number): void {
    if (probability > 0 && this.#random === undefined) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `a rate of ${kind} needs a random source; pass \`random\``,
      });
    }
    this.#rates.set(kind, probability);
  }

  /** Turns all switches off. What was counted stays. */
  clear(): void {
    this.isUnavailable = false;
    this.isFull = false;
    this.#rates.clear();
    this.#waiting = [];
  }

  /** How often a fault has fired. */
  fired(kind: DrawnFault['kind']): number {
    return this.#fired.get(kind) ?? 0;
  }

  /** The fault of a write to `name`, if one is to fire. */
  drawWrite(name: string): DrawnFault | undefined {
    const standing = this.isUnavailable ? 'unavailable' : this.isFull ? 'full' : undefined;
    if (standing !== undefined) return this.#fire({ kind: standing });
    return this.#draw(name, writeKinds);
  }

  /** The fault of a read of `name`, if one is to fire. */
  drawRead(name: string): DrawnFault | undefined {
    return this.#draw(name, ['stale']);
  }

  #draw(name: string, kinds: readonly DrawnFault['kind'][]): DrawnFault | undefined {
    const asked = this.#take(name, kinds);
    if (asked !== undefined) return this.#fire(asked);
    const kind = kinds.find(each => this.#happens(this.#rates.get(each) ?? 0));
    return kind === undefined ? undefined : this.#fire({ kind, ...this.#drawParticulars() });
  }

  #take(name: string, kinds: readonly DrawnFault['kind'][]): DrawnFault | undefined {
    const index = this.#waiting.findIndex(
      ({ fault }) => kinds.includes(fault.kind) && (fault.name ?? name) === name,
    );
    const found = this.#waiting[index];
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#waiting.splice(index, 1);
    return found.fault;
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random !== undefined && this.#random.next() < probability;
  }

  #drawParticulars(): NextFault {
    const upTo = (max: number) => 1 + Math.floor((this.#random?.next() ?? 0) * max);
    return { afterOperations: upTo(8), hidden: upTo(3) };
  }

  #fire(fault: DrawnFault): DrawnFault {
    this.#fired.set(fault.kind, this.fired(fault.kind) + 1);
    return fault;
  }
}

/** The error that a fault shows. */
export function faultError(kind: WriteFault, name: string): TroupeError {
  if (kind === 'full') return new TroupeError('DISK_FULL', { detail: `no space for ${name}` });
  if (kind === 'unavailable') {
    return new TroupeError('ENGINE_UNAVAILABLE', { detail: `the store refused ${name}` });
  }
  return new TroupeError('ENGINE_FAILED', { detail: `the answer for ${name} was lost` });
}
