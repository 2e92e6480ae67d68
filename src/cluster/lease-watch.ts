/**
 * The leases of others, as seen from here. A lease is overdue when it has not changed for its whole
 * span on this clock, counted from when this process first saw it so; that is a suspicion. Only an
 * accepted compare-and-set on what stood there makes it the end of the lease.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { KeyValue, KeyValueChange, KeyValueEntry } from '../ports/key-value.ts';
import { leaseTimes } from './lease-time.ts';
import { decodeLease, encodeLease, type LeaseValue } from './lease-value.ts';

/** A lease, as last seen. */
export interface SeenLease {
  readonly key: string;
  readonly value: LeaseValue;
  /** Of the last change that was seen. */
  readonly revision: number;
  /** Whether it stood still for its whole span although it is held. */
  readonly isOverdue: boolean;
}

/** What is watched. */
export interface WatchLeasesOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  /** What the keys of the leases begin with. */
  readonly prefix: string;
  /** How long a lease stands still before it is overdue (default 16,000). */
  readonly spanMs?: number | undefined;
  /** Called when a lease was written, or has become overdue. */
  readonly onChange?: ((lease: SeenLease) => void) | undefined;
  /** Told about keys that hold no lease. */
  readonly onUnreadable?: ((error: TroupeError) => void) | undefined;
}

/** The leases below a prefix. */
export interface LeaseWatch {
  /** All leases ever seen, by key. */
  leases(): readonly SeenLease[];
  /** One of them. */
  lease(key: string): SeenLease | undefined;
  /**
   * Ends a lease that is overdue. True means that it is over: its holder had stopped answering
   * before, and cannot renew it. False means that it is not overdue, or was written meanwhile.
   *
   * @throws what the engine says; when that leaves the outcome open, call again.
   */
  expire(key: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Begins to watch; resolves when the leases there are have been asked for. */
export async function watchLeases(options: WatchLeasesOptions): Promise<LeaseWatch> {
  const watch = new Watch(options);
  await watch.open();
  return watch;
}

interface Seen {
  readonly value: LeaseValue;
  readonly revision: number;
  /** Whether the key is gone. That proves nothing about the holder, and is waited out like any. */
  readonly isDeleted: boolean;
  readonly sinceMs: number;
  readonly timer: Timer;
}

class Watch implements LeaseWatch {
  readonly #options: WatchLeasesOptions;
  readonly #spanMs: number;
  readonly #seen = new Map<string, Seen>();
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(options: WatchLeasesOptions) {
    this.#options = options;
    this.#spanMs = leaseTimes(options.spanMs).spanMs;
  }

  async open(): Promise<void> {
    const { keyValue, prefix } = this.#options;
    this.#stop = await keyValue.watch(prefix, change => this.#changed(change));
  }

  leases(): readonly SeenLease[] {
    return [...this.#seen].map(([key, seen]) => this.#shown(key, seen));
  }

  lease(key: string): SeenLease | undefined {
    const seen = this.#seen.get(key);
    return seen && this.#shown(key, seen);
  }

  async expire(key: string): Promise<boolean> {
    const seen = this.#seen.get(key);
    if (seen?.value.state === 'expired' && !seen.isDeleted) return true;
    if (seen === undefined || !this.#isOverdue(seen)) return false;
    const { keyValue } = this.#options;
    const value: LeaseValue = { ...seen.value, state: 'expired' };
    const bytes = encodeLease(value);
    const result = await (seen.isDeleted
      ? keyValue.create(key, bytes)
      : keyValue.compareAndSet(key, bytes, seen.revision));
    if (result.status === 'accepted') {
      this.#see(key, value, result.revision);
      return true;
    }
    const entry = await keyValue.get(key);
    if (entry === undefined) return false;
    this.#written(entry);
    // An earlier attempt of ours, or of another observer, whose answer was lost.
    return this.#seen.get(key)?.value.state === 'expired';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop?.();
    for (const { timer } of this.#seen.values()) timer.cancel();
  }

  #changed(change: KeyValueChange): void {
    const seen = change.kind === 'put' ? undefined : this.#seen.get(change.key);
    if (change.kind === 'put') this.#written(change.entry);
    else if (seen !== undefined) this.#see(change.key, seen.value, change.revision, true);
  }

  #written({ key, value: bytes, revision }: KeyValueEntry): void {
    try {
      this.#see(key, decodeLease(key, bytes), revision);
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      this.#options.onUnreadable?.(error);
    }
  }

  #see(key: string, value: LeaseValue, revision: number, isDeleted = false): void {
    const { clock } = this.#options;
    const before = this.#seen.get(key);
    if (this.#isClosed || (before !== undefined && before.revision >= revision)) return;
    before?.timer.cancel();
    const timer = clock.setTimer(this.#spanMs, () => this.#tell(key));
    const sinceMs = clock.monotonic();
    this.#seen.set(key, { value, revision, isDeleted, sinceMs, timer });
    this.#tell(key);
  }

  #tell(key: string): void {
    const lease = this.lease(key);
    if (lease !== undefined) this.#options.onChange?.(lease);
  }

  #shown(key: string, seen: Seen): SeenLease {
    const { value, revision } = seen;
    return { key, value, revision, isOverdue: this.#isOverdue(seen) };
  }

  #isOverdue({ value, sinceMs, isDeleted }: Seen): boolean {
    const isOpen = value.state === 'held' || isDeleted;
    return isOpen && this.#options.clock.monotonic() - sinceMs >= this.#spanMs;
  }
}
