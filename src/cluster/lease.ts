/**
 * A lease that this process holds: one key, written again and again by compare-and-set. What counts
 * is when the last accepted renewal was *sent*: whoever watches cannot have seen it earlier, so the
 * holder has stopped long before anybody else may take over, however long an answer took.
 *
 * How a lease is got stands in `lease-claim.ts`, how those of others are watched in
 * `lease-watch.ts`.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { KeyValue, KeyValueEntry } from '../ports/key-value.ts';
import {
  elapsedAtMost,
  type LeaseTimes,
  type Moment,
  momentOf,
  orLate,
  pause,
} from './lease-time.ts';
import { decodeLease, encodeLease, type LeaseState, type LeaseValue } from './lease-value.ts';

/**
 * How it stands with a lease that is one's own: `lapsed` is for now, until a renewal is accepted
 * again; the others are for good.
 */
export type OwnLeaseState = 'held' | 'lapsed' | 'lost' | 'released';

/** A lease of one's own. */
export interface Lease {
  readonly key: string;
  /** The revision of the write that claimed it; the next claim has a higher one. */
  readonly token: number;
  /** How it stands at this moment. It is computed from the clocks at each call. */
  readonly state: OwnLeaseState;
  /** Whether one may answer for what the lease covers, at this moment. */
  readonly isHeld: boolean;
  /** For how much longer it is held without a further renewal; 0 when it is not. */
  readonly remainingMs: number;
  /** How long ago the last renewal was sent that was accepted. */
  readonly silentMs: number;
  /** Tells others something else about this holder, with the next renewal, which comes at once. */
  setDetails(details: unknown): void;
  /** Calls back when the state changes; returns the way to stop. */
  onState(listener: (state: OwnLeaseState) => void): () => void;
  /**
   * Gives it back, so that a successor need not wait. Whoever calls this has stopped answering.
   * Resolves with false when the engine did not accept it; the lease then runs out by itself.
   */
  release(): Promise<boolean>;
}

/** What a lease begins with. */
export interface HeldLeaseOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  readonly key: string;
  /** What was written, and accepted. */
  readonly value: LeaseValue;
  readonly revision: number;
  /** When it was sent. */
  readonly sentAt: Moment;
}

/** Attempts without an answer that are kept in mind; an older one proves nothing any more. */
const unansweredMax = 16;
/** Attempts that an engine which does not answer may have before it gets no more of them. */
const inFlightMax = 8;
const releaseAttemptsMax = 3;

type Answer = 'accepted' | 'conflict' | 'failed';
type Finding = 'own' | 'given back' | 'foreign' | 'missing' | 'unclear';

/** Goes on with a lease that was just claimed. */
export function holdLease(options: HeldLeaseOptions): Lease {
  return new HeldLease(options);
}

class HeldLease implements Lease {
  readonly key: string;
  readonly token: number;
  readonly #keyValue: KeyValue;
  readonly #clock: Clock;
  readonly #times: LeaseTimes;
  readonly #listeners = new Set<(state: OwnLeaseState) => void>();
  /** When each renewal that has no answer yet was sent. */
  readonly #unanswered = new Map<number, Moment>();
  #value: LeaseValue;
  #revision: number;
  #provenAt: Moment;
  #end: 'lost' | 'released' | undefined;
  #shown: OwnLeaseState = 'held';
  #inFlight = 0;
  #isRenewing = false;
  #isChanged = false;
  #next: Timer | undefined;
  #lapse: Timer | undefined;

  constructor(options: HeldLeaseOptions) {
    this.key = options.key;
    this.token = options.revision;
    this.#keyValue = options.keyValue;
    this.#clock = options.clock;
    this.#times = options.times;
    this.#value = options.value;
    this.#revision = options.revision;
    this.#provenAt = options.sentAt;
    this.#renewAfter(this.#times.renewMs);
    this.#watchLapse();
  }

  get state(): OwnLeaseState {
    if (this.#end !== undefined) return this.#end;
    return this.remainingMs > 0 ? 'held' : 'lapsed';
  }

  get isHeld(): boolean {
    return this.state === 'held';
  }

  get remainingMs(): number {
    if (this.#end !== undefined) return 0;
    return Math.max(0, this.#times.holdMs - this.silentMs);
  }

  get silentMs(): number {
    return elapsedAtMost(this.#clock, this.#provenAt);
  }

  setDetails(details: unknown): void {
    const value = { ...this.#value, details };
    encodeLease(value);
    this.#value = value;
    this.#isChanged = true;
    if (!this.#isRenewing) this.#renewAfter(0);
  }

  onState(listener: (state: OwnLeaseState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async release(): Promise<boolean> {
    if (this.#end !== undefined) return this.#end === 'released';
    this.#finish('released');
    for (let attempt = 1; attempt <= releaseAttemptsMax; attempt++) {
      if (attempt > 1) await pause(this.#clock, this.#times.retryMs);
      if ((await this.#write('released')) === 'accepted') return true;
      // An attempt without an answer may have landed: this one, or a renewal, whose revision is
      // then the one to expect.
      const finding = await this.#look();
      if (finding === 'given back') return true;
      if (finding === 'foreign') return false;
    }
    return false;
  }

  async #renew(): Promise<void> {
    this.#isRenewing = true;
    this.#isChanged = false;
    const isProven = await this.#isRenewed();
    this.#isRenewing = false;
    const { renewMs, retryMs } = this.#times;
    const dueMs = renewMs - elapsedAtMost(this.#clock, this.#provenAt);
    this.#renewAfter(isProven ? (this.#isChanged ? 0 : Math.max(0, dueMs)) : retryMs);
  }

  async #isRenewed(): Promise<boolean> {
    if (this.#inFlight >= inFlightMax) return false;
    const answer = await this.#write('held');
    if (answer !== 'conflict' || this.#end !== undefined) return answer === 'accepted';
    const finding = await this.#look();
    this.#judge(finding);
    return finding === 'own';
  }

  /** A conflict that is not our own doing is the end, as soon as it is sure. */
  #judge(finding: Finding): void {
    if (finding === 'foreign' || finding === 'given back') this.#finish('lost');
    // Somebody removed the key. A read that is old shows that too, but not for so long.
    if (finding === 'missing' && !this.isHeld) this.#finish('lost');
  }

  async #write(state: LeaseState): Promise<Answer> {
    const renewal = this.#value.renewal + 1;
    this.#value = { ...this.#value, renewal };
    const sentAt = momentOf(this.#clock);
    this.#remember(renewal, sentAt);
    const writing = this.#attempt({ ...this.#value, state }, sentAt);
    const answer = await orLate(this.#clock, writing, this.#times.attemptMs);
    return answer === 'late' ? 'failed' : answer;
  }

  /** An answer counts whenever it comes, also when a later attempt is on its way already. */
  async #attempt(value: LeaseValue, sentAt: Moment): Promise<Answer> {
    this.#inFlight += 1;
    try {
      const bytes = encodeLease(value);
      const result = await this.#keyValue.compareAndSet(this.key, bytes, this.#revision);
      if (result.status === 'accepted') this.#accepted(result.revision, sentAt);
      if (result.status === 'conflict') this.#unanswered.delete(value.renewal);
      return result.status;
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      if (error.outcome === 'not-executed') this.#unanswered.delete(value.renewal);
      return 'failed';
    } finally {
      this.#inFlight -= 1;
    }
  }

  #remember(renewal: number, sentAt: Moment): void {
    this.#unanswered.set(renewal, sentAt);
    const [oldest] = this.#unanswered.keys();
    if (this.#unanswered.size > unansweredMax && oldest !== undefined) {
      this.#unanswered.delete(oldest);
    }
  }

  /**
   * Reads who wrote last. Reads may be old: only what is newer than the revision that is known
   * says anything.
   */
  async #look(): Promise<Finding> {
    const entry = await orLate(this.#clock, this.#read(), this.#times.attemptMs);
    if (entry === 'late') return 'unclear';
    if (entry === undefined) return 'missing';
    if (entry.revision <= this.#revision) return 'unclear';
    const found = foundIn(this.key, entry.value);
    if (found?.holder !== this.#value.holder) return 'foreign';
    if (found.state === 'expired') return 'foreign';
    this.#accepted(entry.revision, this.#unanswered.get(found.renewal));
    return found.state === 'released' ? 'given back' : 'own';
  }

  async #read(): Promise<KeyValueEntry | 'late' | undefined> {
    try {
      return await this.#keyValue.get(this.key);
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      // The next attempt asks again.
      return 'late';
    }
  }

  /** A write of ours stands there. */
  #accepted(revision: number, sentAt: Moment | undefined): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    if (sentAt === undefined) return;
    this.#provenAt = sentAt;
    this.#watchLapse();
    this.#show();
  }

  #finish(end: 'lost' | 'released'): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#next?.cancel();
    this.#lapse?.cancel();
    this.#show();
  }

  #renewAfter(delayMs: number): void {
    this.#next?.cancel();
    if (this.#end !== undefined) return;
    this.#next = this.#clock.setTimer(delayMs, () => void this.#renew());
  }

  #watchLapse(): void {
    this.#lapse?.cancel();
    if (this.#end !== undefined) return;
    this.#lapse = this.#clock.setTimer(this.remainingMs, () => this.#show());
  }

  #show(): void {
    const { state } = this;
    if (state === this.#shown) return;
    this.#shown = state;
    for (const listener of this.#listeners) listener(state);
  }
}

/** What cannot be read was written by somebody else. */
function foundIn(key: string, bytes: Uint8Array): LeaseValue | undefined {
  try {
    return decodeLease(key, bytes);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return undefined;
  }
}
