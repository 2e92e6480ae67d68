/** The scheduler: order, draining of promises, cancelling, holding, and the trace. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SimEvent, SimEventHeap, type SimOwner } from '../../../src/testing/sim-event-heap.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { SimScheduler, type SimSchedulerOptions } from '../../../src/testing/sim-scheduler.ts';
import { formatTraceLine, SimTrace } from '../../../src/testing/sim-trace.ts';

function make(seed = 's', options: Partial<SimSchedulerOptions> = {}) {
  return new SimScheduler({ random: new SimRandom(seed), trace: new SimTrace(), ...options });
}

function life(label = 'node#1'): SimOwner {
  return { label, isAlive: true, isPaused: false, held: [] };
}

describe('SimEventHeap', () => {
  it('gives events back in order of time, tie and number', () => {
    const key = fc.record({ timeMs: fc.nat(5), tie: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(key), keys => {
        const heap = new SimEventHeap();
        const events = keys.map(
          (each, number): SimEvent => ({
            ...each,
            number,
            kind: '',
            owner: undefined,
            task: undefined,
          }),
        );
        for (const event of events) heap.push(event);
        const popped: SimEvent[] = [];
        for (let next = heap.pop(); next !== undefined; next = heap.pop()) popped.push(next);
        const sorted = events.toSorted(
          (left, right) =>
            left.timeMs - right.timeMs || left.tie - right.tie || left.number - right.number,
        );
        expect(popped).toEqual(sorted);
        expect(heap.size).toBe(0);
      }),
    );
  });
});

describe('SimScheduler', () => {
  it('runs events in order of time and moves the clock', async () => {
    const scheduler = make();
    const seen: [string, number][] = [];
    const note = (kind: string) => () => void seen.push([kind, scheduler.nowMs]);
    scheduler.schedule({ delayMs: 20, kind: 'b', task: note('b') });
    scheduler.schedule({ delayMs: 10, kind: 'a', task: note('a') });
    scheduler.schedule({ delayMs: 99, kind: 'c', task: note('c') });
    await scheduler.run({ untilMs: 50 });
    expect(seen).toEqual([
      ['a', 10],
      ['b', 20],
    ]);
    expect(scheduler.nowMs).toBe(50);
    expect(scheduler.events).toBe(2);
    await scheduler.run({ untilMs: 99 });
    expect(seen.at(-1)).toEqual(['c', 99]);
  });

  it('lets the seed order events of the same time', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const scheduler = make(String(seed));
      let order = '';
      for (const name of ['a', 'b', 'c']) {
        scheduler.schedule({
          delayMs: 1,
          kind: name,
          task: () => {
            order += name;
          },
        });
      }
      await scheduler.run({ untilMs: 1 });
      orders.add(order);
    }
    expect(orders.size).toBe(6);
  });

  it('drains every promise before the next event', async () => {
    const scheduler = make();
    const seen: string[] = [];
    const chain = async (name: string) => {
      for (let hop = 0; hop < 200; hop++) await null;
      // Promises that promises make, and async iteration, take turns of their own.
      await Promise.all([1, 2, 3].map(async () => void (await Promise.resolve())));
      for await (const _ of (async function* () {
        yield* [1, 2, 3];
      })())
        await null;
      seen.push(name);
    };
    for (let index = 0; index < 50; index++) {
      scheduler.schedule({ delayMs: index, kind: 'x', task: () => void chain(`chain ${index}`) });
      scheduler.schedule({
        delayMs: index + 0.5,
        kind: 'x',
        task: () => void seen.push(`event ${index}`),
      });
    }
    await scheduler.run({ untilMs: 1_000 });
    expect(seen).toEqual(
      Array.from(
        { length: 100 },
        (_, place) => `${place % 2 === 0 ? 'chain' : 'event'} ${Math.floor(place / 2)}`,
      ),
    );
  });

  it('leaves the same trace however often it visits the real event loop', async () => {
    const hashes = new Set<string>();
    for (const eventsPerYield of [1, 7, 1_000]) {
      const scheduler = make('same', { eventsPerYield });
      const random = new SimRandom('work');
      const walk = async (depth: number): Promise<void> => {
        if (depth === 0) return;
        await scheduler.sleep(random.between(0, 5));
        await Promise.all([walk(depth - 1), scheduler.sleep(1)]);
      };
      scheduler.schedule({ delayMs: 0, kind: 'start', task: () => void walk(20) });
      scheduler.schedule({ delayMs: 0, kind: 'start', task: () => void walk(20) });
      await scheduler.run({ untilMs: 1_000 });
      hashes.add(scheduler.trace.hash);
    }
    expect(hashes.size).toBe(1);
  });

  it('does not run what was cancelled, and forgets it', async () => {
    const scheduler = make();
    let ran = 0;
    const keep = () => scheduler.schedule({ delayMs: 5, kind: 'kept', task: () => void ran++ });
    keep();
    for (let count = 0; count < 5_000; count++) {
      const event = scheduler.schedule({
        delayMs: 5,
        kind: 'cancelled',
        task: () => void ran++,
      });
      scheduler.cancel(event);
      scheduler.cancel(event);
    }
    keep();
    await scheduler.run({ untilMs: 10 });
    expect(ran).toBe(2);
    expect(scheduler.events).toBe(2);
  });

  it('drops events of the dead and holds those of the paused, in order', async () => {
    const scheduler = make();
    const [dead, paused] = [life('dead#1'), life('paused#1')];
    const seen: string[] = [];
    for (const delayMs of [3, 1, 2]) {
      scheduler.schedule({ delayMs, kind: 'd', owner: dead, task: () => void seen.push('dead') });
      scheduler.schedule({
        delayMs,
        kind: 'p',
        owner: paused,
        task: () => void seen.push(`${delayMs}`),
      });
    }
    dead.isAlive = false;
    paused.isPaused = true;
    const held = scheduler.schedule({
      delayMs: 2.5,
      kind: 'p',
      owner: paused,
      task: () => void seen.push('cancelled'),
    });
    await scheduler.run({ untilMs: 50 });
    expect(seen).toEqual([]);
    scheduler.cancel(held);
    paused.isPaused = false;
    scheduler.release(paused);
    scheduler.schedule({ delayMs: 0, kind: 'w', task: () => void seen.push('world') });
    await scheduler.run({ untilMs: 50 });
    expect(seen).toEqual(['1', '2', '3', 'world']);
    expect(scheduler.nowMs).toBe(50);
  });

  it('stops when it is done, and where it is', async () => {
    const scheduler = make();
    let count = 0;
    const tick = () => {
      count++;
      scheduler.schedule({ delayMs: 1, kind: 'tick', task: tick });
    };
    tick();
    await scheduler.run({ untilMs: 1_000, isDone: () => count === 5 });
    expect(scheduler.nowMs).toBe(4);
  });

  it('says whose event is running, also in what follows from it', async () => {
    const scheduler = make();
    const owner = life();
    const seen: (SimOwner | undefined)[] = [];
    scheduler.schedule({
      delayMs: 1,
      kind: 'x',
      owner,
      task: () => void Promise.resolve().then(() => seen.push(scheduler.current)),
    });
    await scheduler.run({ untilMs: 1 });
    expect(seen).toEqual([owner]);
    expect(scheduler.current).toBeUndefined();
  });

  it('ends with the error of an event, unless somebody takes it', async () => {
    const fail = () => {
      throw new Error('broken');
    };
    const strict = make();
    strict.schedule({ delayMs: 0, kind: 'x', task: fail });
    await expect(strict.run({ untilMs: 1 })).rejects.toThrow('broken');
    const taken: unknown[] = [];
    const lenient = make('s', { onError: error => void taken.push(error) });
    lenient.schedule({ delayMs: 0, kind: 'x', task: fail });
    await lenient.run({ untilMs: 1 });
    expect(taken).toHaveLength(1);
  });

  it('tells when simulated code begins and ends to run', async () => {
    let depth = 0;
    const depths: number[] = [];
    const scheduler = make('s', { onEnter: () => void depth++, onLeave: () => void depth-- });
    scheduler.schedule({ delayMs: 0, kind: 'x', task: () => void depths.push(depth) });
    await scheduler.run({ untilMs: 1 });
    expect([depth, ...depths]).toEqual([0, 1]);
  });

  it('ends a run that goes round in a circle', async () => {
    const scheduler = make('s', { eventsPerSecondMax: 100 });
    const again = (delayMs: number) => {
      scheduler.schedule({ delayMs, kind: `after-${delayMs}`, task: () => again(delayMs) });
    };
    again(20);
    await scheduler.run({ untilMs: 60_000 });
    again(0);
    await expect(scheduler.run({ untilMs: 120_000 })).rejects.toMatchObject({
      code: 'INVARIANT_BROKEN',
      detail: expect.stringContaining('after-0'),
    });
  });
});

describe('SimTrace', () => {
  it('tells traces apart by time, kind, owner and order', () => {
    const hashOf = (...lines: [number, string, string][]) => {
      const trace = new SimTrace();
      for (const line of lines) trace.add(...line);
      return trace.hash;
    };
    const base = hashOf([1, 'a', 'x'], [2, 'b', 'y']);
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf([1, 'a', 'x'], [2, 'b', 'y'])).toBe(base);
    expect(hashOf([1, 'a', 'x'], [2.0000001, 'b', 'y'])).not.toBe(base);
    expect(hashOf([1, 'a', 'x'], [2, 'c', 'y'])).not.toBe(base);
    expect(hashOf([1, 'a', 'x'], [2, 'b', 'z'])).not.toBe(base);
    expect(hashOf([2, 'b', 'y'], [1, 'a', 'x'])).not.toBe(base);
  });

  it('keeps the newest lines, and shows each to whoever listens', () => {
    const heard: string[] = [];
    const trace = new SimTrace(line => heard.push(formatTraceLine(line)));
    for (let number = 0; number < 450; number++) trace.add(number, `event-${number}`, '');
    const recent = trace.recent();
    expect(recent).toHaveLength(200);
    expect(recent[0]?.kind).toBe('event-250');
    expect(recent.at(-1)?.kind).toBe('event-449');
    expect(heard).toHaveLength(450);
    expect(heard[1]).toMatch(/0\.001000 s {2}world +event-1$/);
  });
});
