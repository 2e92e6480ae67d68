/**
 * Stops calling a destination that keeps failing, and finds out cheaply when it is back: closed
 * while all is well, open for a while when too large a share of recent calls failed, then half
 * open, where single probes decide. Time and randomness are arguments; whoever calls wraps
 * `CIRCUIT_OPEN`.
 */
import { backoffMs } from './backoff.ts';

/** When a breaker opens, and for how long. */
export interface CircuitBreakerOptions {
  /** Opens when at least this share of the calls in the window failed (default 0.5). */
  readonly failureShare?: number | undefined;
  /** Never opens on fewer calls in the window than this (default 10). */
  readonly callsMin?: number | undefined;
  /** How far back calls count (default 10,000). */
  readonly windowMs?: number | undefined;
  /**
   * How long it stays open the first time; doubled each time that a probe fails (default 1,000).
   */
  readonly openMs?: number | undefined;
  /** It never stays open for longer (default 30,000). */
  readonly openMaxMs?: number | undefined;
  /** Probes that must succeed in a row before it closes (default 1). */
  readonly probesToClose?: number | undefined;
  /** After this time without an outcome a probe counts as lost and as failed (default 30,000). */
  readonly probeTimeoutMs?: number | undefined;
}

/** What a {@link CircuitBreaker} uses where an option is left out. */
export const circuitBreakerDefaults = {
  failureShare: 0.5,
  callsMin: 10,
  windowMs: 10_000,
  openMs: 1_000,
  openMaxMs: 30_000,
  probesToClose: 1,
  probeTimeoutMs: 30_000,
} as const;

/** The answer to a caller: a ticket to hand back with the outcome, or when to ask again. */
export type Admission =
  | { readonly isAdmitted: true; readonly ticket: Ticket }
  | { readonly isAdmitted: false; readonly retryAfterMs: number };

/** Stands for one admitted call. Outcomes of an earlier period of the breaker do not count. */
export interface Ticket {
  readonly period: number;
}

/** What became of an admitted call; `ignored` when it says nothing about the destination. */
export type CallOutcome = 'succeeded' | 'failed' | 'ignored';

/** Where a breaker stands. */
export type CircuitState = 'closed' | 'open' | 'half-open';

type Settings = { readonly [K in keyof typeof circuitBreakerDefaults]: number };

const slotCount = 10;

/** One breaker, for one destination. Times are monotonic milliseconds. */
export class CircuitBreaker {
  readonly #options: Settings;
  readonly #window: CallWindow;
  #state: CircuitState = 'closed';
  #period = 0;
  /** The answer to all calls of a closed period. */
  #whileClosed: Admission = { isAdmitted: true, ticket: { period: 0 } };
  /** Openings in a row without a return to closed. */
  #openings = 0;
  #openUntil = 0;
  #probe: Ticket | undefined;
  #probeExpiresAt = 0;
  #probesSucceeded = 0;

  constructor(options: CircuitBreakerOptions = {}) {
    this.#options = withDefaults(options);
    this.#window = new CallWindow(this.#options.windowMs);
  }

  /** Closed, open, or half open (also while it is open and due for a probe). */
  state(nowMs: number): CircuitState {
    return this.#state === 'open' && nowMs >= this.#openUntil ? 'half-open' : this.#state;
  }

  /** Asks to make a call. Whoever is admitted owes an outcome to {@link CircuitBreaker.settle}. */
  admit(nowMs: number, random: number): Admission {
    if (this.#state === 'closed') return this.#whileClosed;
    if (this.#probe !== undefined && nowMs >= this.#probeExpiresAt) this.#open(nowMs, random);
    if (this.#state === 'open' && nowMs >= this.#openUntil) this.#enter('half-open');
    const isFree = this.#state === 'half-open' && this.#probe === undefined;
    return isFree
      ? this.#admitProbe(nowMs)
      : { isAdmitted: false, retryAfterMs: this.#wait(nowMs) };
  }

  /** Says what became of a call. A second outcome of the same probe changes nothing. */
  settle(ticket: Ticket, outcome: CallOutcome, { nowMs, random }: SettleInputs): void {
    if (ticket.period !== this.#period) return;
    if (this.#state === 'closed') this.#settleCall(outcome, { nowMs, random });
    else if (ticket === this.#probe) this.#settleProbe(outcome, { nowMs, random });
  }

  #settleCall(outcome: CallOutcome, { nowMs, random }: SettleInputs): void {
    if (outcome === 'ignored') return;
    this.#window.add(nowMs, outcome === 'failed');
    if (outcome === 'succeeded') return;
    const { calls, failures } = this.#window.totals(nowMs);
    const { callsMin, failureShare } = this.#options;
    if (calls >= callsMin && failures >= calls * failureShare) this.#open(nowMs, random);
  }

  #settleProbe(outcome: CallOutcome, { nowMs, random }: SettleInputs): void {
    this.#probe = undefined;
    if (outcome === 'failed') {
      this.#open(nowMs, random);
    } else if (outcome === 'succeeded' && ++this.#probesSucceeded >= this.#options.probesToClose) {
      this.#enter('closed');
      this.#openings = 0;
      this.#window.clear();
    }
  }

  #admitProbe(nowMs: number): Admission {
    this.#probe = { period: this.#period };
    this.#probeExpiresAt = nowMs + this.#options.probeTimeoutMs;
    return { isAdmitted: true, ticket: this.#probe };
  }

  #open(nowMs: number, random: number): void {
    this.#enter('open');
    this.#openings++;
    const { openMs, openMaxMs } = this.#options;
    const bounds = { baseMs: openMs, delayMaxMs: openMaxMs };
    this.#openUntil = nowMs + backoffMs(this.#openings, random, bounds);
  }

  #enter(state: CircuitState): void {
    this.#state = state;
    this.#period++;
    this.#whileClosed = { isAdmitted: true, ticket: { period: this.#period } };
    this.#probe = undefined;
    this.#probesSucceeded = 0;
  }

  #wait(nowMs: number): number {
    const until = this.#state === 'open' ? this.#openUntil : this.#probeExpiresAt;
    return Math.max(0, until - nowMs);
  }
}

/** When an outcome arrived, and a draw for how long to stay open if it must. */
export interface SettleInputs {
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** Counts calls and failures of the recent past, in slots that are forgotten one by one. */
class CallWindow {
  readonly #slotMs: number;
  readonly #slots = new Float64Array(slotCount).fill(Number.NEGATIVE_INFINITY);
  readonly #calls = new Float64Array(slotCount);
  readonly #failures = new Float64Array(slotCount);

  constructor(windowMs: number) {
    this.#slotMs = Math.max(1, windowMs / slotCount);
  }

  add(nowMs: number, isFailure: boolean): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    const place = ((slot % slotCount) + slotCount) % slotCount;
    if (this.#slots[place] !== slot) {
      this.#slots[place] = slot;
      this.#calls[place] = 0;
      this.#failures[place] = 0;
    }
    this.#calls[place] = (this.#calls[place] ?? 0) + 1;
    if (isFailure) this.#failures[place] = (this.#failures[place] ?? 0) + 1;
  }

  totals(nowMs: number): { calls: number; failures: number } {
    const oldest = Math.floor(nowMs / this.#slotMs) - slotCount + 1;
    let calls = 0;
    let failures = 0;
    this.#slots.forEach((slot, place) => {
      if (slot < oldest) return;
      calls += this.#calls[place] ?? 0;
      failures += this.#failures[place] ?? 0;
    });
    return { calls, failures };
  }

  clear(): void {
    this.#slots.fill(Number.NEGATIVE_INFINITY);
  }
}

function withDefaults(options: CircuitBreakerOptions): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...circuitBreakerDefaults, ...Object.fromEntries(given) };
}
