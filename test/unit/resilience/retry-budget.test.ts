/** Retries are a bounded share of calls and time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/resilience/retry-budget.ts';

const options = { retriesPerCall: 0.25, retriesPerSecond: 2, retriesMax: 5 };

describe('RetryBudget', () => {
  it('starts full and refuses when it is used up', () => {
    const budget = new RetryBudget(0, options);
    expect(Array.from({ length: 6 }, () => budget.tryRetry(0))).toEqual([
      ...Array(5).fill(true),
      false,
    ]);
  });

  it('is paid for by calls', () => {
    const budget = emptyBudget();
    for (let call = 0; call < 3; call++) budget.recordCall(0);
    expect(budget.tryRetry(0)).toBe(false);
    budget.recordCall(0);
    expect(budget.tryRetry(0)).toBe(true);
    expect(budget.tryRetry(0)).toBe(false);
  });

  it('is paid for by time', () => {
    const budget = emptyBudget();
    expect(budget.tryRetry(499)).toBe(false);
    expect(budget.tryRetry(500)).toBe(true);
    expect(budget.tryRetry(600)).toBe(false);
  });

  it('saves up no more than its greatest size', () => {
    const budget = new RetryBudget(0, options);
    budget.recordCall(1_000_000);
    expect(budget.retriesLeft(1_000_000)).toBe(5);
  });

  it('gives nothing for time that runs backwards, and nothing twice', () => {
    const budget = emptyBudget();
    expect(budget.retriesLeft(-10_000)).toBe(0);
    expect(budget.retriesLeft(1_000)).toBe(2);
    expect(budget.retriesLeft(0)).toBe(2);
    expect(budget.retriesLeft(1_000)).toBe(2);
  });

  it('agrees with a plain model in any order of calls, retries and waits', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 2_000 }),
      kind: fc.constantFrom('call', 'retry'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const world = new World();
        for (const { afterMs, kind } of steps) {
          world.wait(afterMs);
          if (kind === 'call') world.call();
          else world.retry();
        }
      }),
    );
  });
});

/** A budget beside its model, which counts in thousandths so that nothing is rounded. */
class World {
  readonly #budget = new RetryBudget(0, options);
  #now = 0;
  #thousandths = options.retriesMax * 1_000;

  wait(ms: number): void {
    this.#now += ms;
    this.#save(ms * options.retriesPerSecond);
  }

  call(): void {
    this.#budget.recordCall(this.#now);
    this.#save(options.retriesPerCall * 1_000);
  }

  retry(): void {
    // The budget itself rounds; exactly one retry left may go either way.
    if (this.#thousandths === 1_000) this.wait(1);
    const isPaid = this.#thousandths > 1_000;
    expect(this.#budget.tryRetry(this.#now)).toBe(isPaid);
    if (isPaid) this.#thousandths -= 1_000;
  }

  #save(thousandths: number): void {
    this.#thousandths = Math.min(options.retriesMax * 1_000, this.#thousandths + thousandths);
  }
}

function emptyBudget(): RetryBudget {
  const budget = new RetryBudget(0, options);
  while (budget.tryRetry(0));
  return budget;
}
