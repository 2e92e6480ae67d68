/** A breaker opens on failures, waits, probes, and closes; a model checks every order of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CallOutcome,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Ticket,
} from '../../../src/resilience/circuit-breaker.ts';

const options = { callsMin: 4, failureShare: 0.5, windowMs: 1_000, openMs: 100, openMaxMs: 400 };

describe('CircuitBreaker', () => {
  it('lets calls through while they succeed', () => {
    const breaker = new CircuitBreaker(options);
    for (let call = 0; call < 100; call++) settleNow(breaker, call, 'succeeded');
    expect(breaker.state(100)).toBe('closed');
  });

  it('does not open on fewer calls than it needs', () => {
    const breaker = new CircuitBreaker(options);
    for (let call = 0; call < 3; call++) settleNow(breaker, 0, 'failed');
    expect(breaker.state(0)).toBe('closed');
  });

  it('opens when the share of failures is reached, and says when to ask again', () => {
    const breaker = opened();
    expect(breaker.state(0)).toBe('open');
    expect(breaker.admit(30, 0)).toEqual({ isAdmitted: false, retryAfterMs: 70 });
  });

  it('forgets failures that lie behind the window', () => {
    const breaker = new CircuitBreaker(options);
    for (let call = 0; call < 3; call++) settleNow(breaker, 0, 'failed');
    for (let call = 0; call < 3; call++) settleNow(breaker, 1_000, 'failed');
    expect(breaker.state(1_000)).toBe('closed');
    settleNow(breaker, 1_000, 'failed');
    expect(breaker.state(1_000)).toBe('open');
  });

  it('ignores outcomes that say nothing about the destination', () => {
    const breaker = new CircuitBreaker(options);
    for (let call = 0; call < 100; call++) settleNow(breaker, 0, 'ignored');
    for (let call = 0; call < 3; call++) settleNow(breaker, 0, 'failed');
    expect(breaker.state(0)).toBe('closed');
    settleNow(breaker, 0, 'failed');
    expect(breaker.state(0)).toBe('open');
  });

  it('admits one probe when it is due, and closes when the probe succeeds', () => {
    const breaker = opened();
    const probe = ticketOf(breaker, 100);
    expect(breaker.admit(100, 0)).toMatchObject({ isAdmitted: false });
    breaker.settle(probe, 'succeeded', { nowMs: 120, random: 0 });
    expect(breaker.state(120)).toBe('closed');
    // What failed before it opened does not count any more.
    settleNow(breaker, 120, 'failed');
    expect(breaker.state(120)).toBe('closed');
  });

  it('stays open for twice as long after each probe that fails, up to the longest', () => {
    const breaker = opened();
    const waits: number[] = [];
    let now = 100;
    for (let probe = 0; probe < 4; probe++) {
      breaker.settle(ticketOf(breaker, now), 'failed', { nowMs: now, random: 1 });
      const answer = breaker.admit(now, 0);
      const wait = answer.isAdmitted ? 0 : answer.retryAfterMs;
      waits.push(wait);
      now += wait;
    }
    expect(waits).toEqual([200, 400, 400, 400]);
  });

  it('begins with the shortest wait again after it was closed', () => {
    const breaker = opened();
    breaker.settle(ticketOf(breaker, 100), 'failed', { nowMs: 100, random: 1 });
    breaker.settle(ticketOf(breaker, 300), 'succeeded', { nowMs: 300, random: 1 });
    for (let call = 0; call < 4; call++) settleNow(breaker, 300, 'failed', 1);
    expect(breaker.admit(300, 0)).toEqual({ isAdmitted: false, retryAfterMs: 100 });
  });

  it('wants as many successful probes in a row as it was told', () => {
    const breaker = opened({ probesToClose: 2 });
    breaker.settle(ticketOf(breaker, 100), 'succeeded', { nowMs: 100, random: 0 });
    expect(breaker.state(100)).toBe('half-open');
    breaker.settle(ticketOf(breaker, 101), 'succeeded', { nowMs: 101, random: 0 });
    expect(breaker.state(101)).toBe('closed');
  });

  it('tries another probe when one says nothing', () => {
    const breaker = opened();
    breaker.settle(ticketOf(breaker, 100), 'ignored', { nowMs: 100, random: 0 });
    expect(breaker.admit(100, 0).isAdmitted).toBe(true);
  });

  it('opens again when a probe never comes back, and probes once more', () => {
    const breaker = opened({ probeTimeoutMs: 50 });
    const lost = ticketOf(breaker, 100);
    expect(breaker.admit(149, 1)).toEqual({ isAdmitted: false, retryAfterMs: 1 });
    expect(breaker.admit(150, 1)).toEqual({ isAdmitted: false, retryAfterMs: 200 });
    breaker.settle(lost, 'succeeded', { nowMs: 160, random: 1 });
    expect(breaker.state(160)).toBe('open');
    expect(breaker.admit(350, 1).isAdmitted).toBe(true);
  });

  it('disregards the outcome of a call from before it opened', () => {
    const breaker = new CircuitBreaker(options);
    const early = ticketOf(breaker, 0);
    for (let call = 0; call < 4; call++) settleNow(breaker, 0, 'failed');
    const probe = ticketOf(breaker, 100);
    breaker.settle(early, 'succeeded', { nowMs: 100, random: 0 });
    expect(breaker.state(100)).toBe('half-open');
    breaker.settle(probe, 'failed', { nowMs: 100, random: 0 });
    breaker.settle(probe, 'succeeded', { nowMs: 100, random: 0 });
    expect(breaker.state(100)).toBe('open');
  });

  it('disregards failures from before it opened also when it is closed again', () => {
    const breaker = new CircuitBreaker(options);
    const early = Array.from({ length: 4 }, () => ticketOf(breaker, 0));
    for (let call = 0; call < 4; call++) settleNow(breaker, 0, 'failed');
    settleNow(breaker, 100, 'succeeded');
    for (const ticket of early) breaker.settle(ticket, 'failed', { nowMs: 100, random: 0 });
    expect(breaker.state(100)).toBe('closed');
  });

  it('agrees with a plain model in any order of calls, outcomes and waits', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), events => {
        const world = new World();
        for (const act of events) {
          act(world);
          expect(world.breaker.state(world.now)).toBe(world.state());
        }
      }),
      { numRuns: 300 },
    );
  });
});

const outcomes = fc.constantFrom<CallOutcome>('succeeded', 'failed', 'failed', 'ignored');
const event = fc.oneof(
  fc.integer({ min: 1, max: 300 }).map(ms => (world: World) => world.wait(ms)),
  fc.constant((world: World) => world.admit()),
  fc.tuple(fc.nat(), outcomes).map(
    ([which, outcome]) =>
      (world: World) =>
        world.settle(which, outcome),
  ),
);

/** A breaker beside its model, which keeps every outcome with its time and counts them anew. */
class World {
  readonly breaker = new CircuitBreaker({ ...options, probeTimeoutMs: Number.POSITIVE_INFINITY });
  now = 0;
  #isOpen = false;
  #openUntil = 0;
  #openings = 0;
  #hasProbe = false;
  /** Calls that were admitted before the last change of state have no say any more. */
  #period = 0;
  #calls: { readonly at: number; readonly isFailure: boolean }[] = [];
  readonly #pending: { readonly ticket: Ticket; readonly period: number }[] = [];

  state(): string {
    if (!this.#isOpen) return 'closed';
    return this.now < this.#openUntil ? 'open' : 'half-open';
  }

  wait(ms: number): void {
    this.now += ms;
  }

  admit(): void {
    const isProbe = this.state() === 'half-open' && !this.#hasProbe;
    const answer = this.breaker.admit(this.now, 1);
    expect(answer.isAdmitted).toBe(isProbe || this.state() === 'closed');
    if (!answer.isAdmitted) return;
    this.#hasProbe = isProbe;
    this.#pending.push({ ticket: answer.ticket, period: this.#period });
  }

  settle(which: number, outcome: CallOutcome): void {
    const [call] = this.#pending.splice(which % Math.max(1, this.#pending.length), 1);
    if (call === undefined) return;
    this.breaker.settle(call.ticket, outcome, { nowMs: this.now, random: 1 });
    if (call.period !== this.#period) return;
    if (this.#isOpen) this.#settleProbe(outcome);
    else this.#settleCall(outcome);
  }

  #settleProbe(outcome: CallOutcome): void {
    this.#hasProbe = false;
    if (outcome === 'failed') this.#open();
    if (outcome !== 'succeeded') return;
    this.#isOpen = false;
    this.#openings = 0;
    this.#calls = [];
    this.#period++;
  }

  #settleCall(outcome: CallOutcome): void {
    if (outcome === 'ignored') return;
    this.#calls.push({ at: this.now, isFailure: outcome === 'failed' });
    const slotMs = options.windowMs / 10;
    const oldest = (Math.floor(this.now / slotMs) - 9) * slotMs;
    const recent = this.#calls.filter(({ at }) => at >= oldest);
    const failures = recent.filter(({ isFailure }) => isFailure).length;
    const isTooMuch = recent.length >= options.callsMin && failures >= recent.length / 2;
    if (outcome === 'failed' && isTooMuch) this.#open();
  }

  #open(): void {
    this.#openUntil = this.now + Math.min(options.openMs * 2 ** this.#openings, options.openMaxMs);
    this.#openings++;
    this.#isOpen = true;
    this.#period++;
  }
}

function opened(more: CircuitBreakerOptions = {}): CircuitBreaker {
  const breaker = new CircuitBreaker({ ...options, ...more });
  for (let call = 0; call < 4; call++) settleNow(breaker, 0, 'failed', 1);
  return breaker;
}

function settleNow(breaker: CircuitBreaker, nowMs: number, outcome: CallOutcome, random = 0): void {
  breaker.settle(ticketOf(breaker, nowMs), outcome, { nowMs, random });
}

function ticketOf(breaker: CircuitBreaker, nowMs: number): Ticket {
  const answer = breaker.admit(nowMs, 1);
  if (!answer.isAdmitted) throw new Error(`refused at ${nowMs}`);
  return answer.ticket;
}
