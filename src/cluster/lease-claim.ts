/**
 * Getting a lease. Who comes after another takes over at once when that one gave the lease back,
 * was declared expired, or is proven dead; else it watches the lease stand still for a whole span.
 * A lease that is renewed meanwhile belongs to somebody alive, and the claim is refused.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyValue, KeyValueEntry, KeyValueResult } from '../ports/key-value.ts';
import { holdLease, type Lease } from './lease.ts';
import { type LeaseTimes, leaseTimes, type Moment, momentOf, pause } from './lease-time.ts';
import { decodeLease, encodeLease, type LeaseValue } from './lease-value.ts';

/** What is claimed, by whom. */
export interface ClaimLeaseOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly key: string;
  /** Names this start of this process; nothing else has ever had this name. */
  readonly holder: string;
  /** Rises with each start under the same key. */
  readonly incarnation: number;
  /** What others are to know about the holder: plain data. */
  readonly details?: unknown;
  /** How long a lease stands still before another may take it (default 16,000). */
  readonly spanMs?: number | undefined;
  /** How long an engine that does not answer is asked again (default twice the span). */
  readonly patienceMs?: number | undefined;
  /** Whether it is proven that whoever wrote this does not run any more (default: never). */
  readonly isProvenDead?: ((previous: LeaseValue) => boolean) | undefined;
}

/**
 * Claims a lease and goes on renewing it.
 *
 * @remarks Keys of leases are released, not deleted: under a missing key nobody is waited for.
 * @throws `CONFIG_INVALID` when another holds the lease and renews it; whatever the engine says
 * when it does not recover in time.
 */
export function claimLease(options: ClaimLeaseOptions): Promise<Lease> {
  return new Claim(options).run();
}

/** A lease that stands in the way, since when it has been standing like this, and what changed. */
interface Obstacle {
  readonly revision: number;
  readonly sinceMs: number;
  readonly changes: number;
}

/** One change may have been on its way when its writer died; for a second one it has to live. */
const changesOfDeadMax = 1;

class Claim {
  readonly #options: ClaimLeaseOptions;
  readonly #times: LeaseTimes;
  readonly #startedMs: number;
  /** When each attempt was sent: one without an answer may be found to have landed. */
  readonly #sentAt = new Map<number, Moment>();
  #value: LeaseValue;
  #obstacle: Obstacle | undefined;

  constructor(options: ClaimLeaseOptions) {
    const { clock, holder, incarnation, details = {}, spanMs } = options;
    this.#options = options;
    this.#times = leaseTimes(spanMs);
    this.#startedMs = clock.monotonic();
    this.#value = { state: 'held', holder, incarnation, renewal: 0, details };
  }

  async run(): Promise<Lease> {
    for (;;) {
      const lease = await this.#patiently(() => this.#try());
      if (lease !== undefined) return lease;
      await pause(this.#options.clock, this.#times.retryMs);
    }
  }

  async #try(): Promise<Lease | undefined> {
    const { keyValue, key } = this.#options;
    const entry = await keyValue.get(key);
    if (entry === undefined) return this.#write(bytes => keyValue.create(key, bytes));
    const value = decodeLease(key, entry.value);
    const landed = value.state === 'held' && value.holder === this.#value.holder;
    if (landed) return this.#hold(entry.revision, value, this.#sentAt.get(value.renewal));
    if (!this.#isFree(entry, value)) return undefined;
    return this.#write(bytes => keyValue.compareAndSet(key, bytes, entry.revision));
  }

  #isFree(entry: KeyValueEntry, value: LeaseValue): boolean {
    const { clock, isProvenDead } = this.#options;
    if (value.state !== 'held' || isProvenDead?.(value) === true) return true;
    const { revision, sinceMs, changes } = this.#seen(entry.revision, clock.monotonic());
    if (changes > changesOfDeadMax) throw this.#refusal(value);
    return entry.revision === revision && clock.monotonic() - sinceMs >= this.#times.spanMs;
  }

  /** A read may be old: a lower revision than the one seen before says nothing. */
  #seen(revision: number, nowMs: number): Obstacle {
    const before = this.#obstacle;
    if (before !== undefined && revision <= before.revision) return before;
    const changes = before === undefined ? 0 : before.changes + 1;
    this.#obstacle = { revision, sinceMs: nowMs, changes };
    return this.#obstacle;
  }

  async #write(write: (bytes: Uint8Array) => Promise<KeyValueResult>): Promise<Lease | undefined> {
    const value = { ...this.#value, renewal: this.#value.renewal + 1 };
    this.#value = value;
    const sentAt = momentOf(this.#options.clock);
    this.#sentAt.set(value.renewal, sentAt);
    const result = await write(encodeLease(value));
    if (result.status === 'conflict') return undefined;
    return this.#hold(result.revision, value, sentAt);
  }

  #hold(revision: number, value: LeaseValue, sentAt: Moment | undefined): Lease {
    const { keyValue, clock, key, holder } = this.#options;
    if (sentAt === undefined) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `${key} is held under the name ${holder}, which is to be new at each start`,
      });
    }
    return holdLease({ keyValue, clock, times: this.#times, key, value, revision, sentAt });
  }

  /** What the engine cannot do now it may be able to do soon: it elects a leader, for example. */
  async #patiently(attempt: () => Promise<Lease | undefined>): Promise<Lease | undefined> {
    try {
      return await attempt();
    } catch (error) {
      const { clock, patienceMs = 2 * this.#times.spanMs } = this.#options;
      const isOver = clock.monotonic() - this.#startedMs > patienceMs;
      if (isOver || !isPassing(error)) throw error;
      return undefined;
    }
  }

  #refusal({ holder, incarnation }: LeaseValue): TroupeError {
    const { key } = this.#options;
    return new TroupeError('CONFIG_INVALID', {
      detail: `${key} is held by another process (${holder}, start ${incarnation}), which renews it; stop that one, or use another name`,
    });
  }
}

function isPassing(error: unknown): boolean {
  if (!TroupeError.is(error)) return false;
  return error.code === 'ENGINE_UNAVAILABLE' || error.code === 'ENGINE_FAILED';
}
