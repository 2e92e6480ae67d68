/**
 * Simulated processes that share keys and values over a network that loses, delays and refuses:
 * for leases. True time is the scheduler's; each process has a clock of its own that may be wrong.
 */
import { TroupeError } from '../../src/core/errors.ts';
import { memoryKeyValues } from '../../src/engines/memory/key-value.ts';
import type { KeyValue, KeyValueEntry } from '../../src/ports/key-value.ts';
import {
  SimClock,
  SimMachineClock,
  type SimMachineClockOptions,
} from '../../src/testing/sim-clock.ts';
import type { SimOwner } from '../../src/testing/sim-event-heap.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { SimTrace } from '../../src/testing/sim-trace.ts';

/** What becomes of one request and its answer. */
export interface Fate {
  readonly requestMs: number;
  readonly answerMs: number;
  readonly isRefused?: boolean;
  readonly isAnswerLost?: boolean;
  /** How old a view a read shows. */
  readonly staleMs?: number;
}

/** A life of a process. */
export interface LeaseProcess {
  readonly name: string;
  readonly owner: SimOwner;
  readonly clock: SimClock;
  readonly machine: SimMachineClock;
  readonly keyValue: KeyValue;
}

const timeoutMs = 2_000;
const prompt: Fate = { requestMs: 0.2, answerMs: 0.2 };

/** One store, one scheduler, and whoever uses them. */
export class LeaseWorld {
  readonly random: SimRandom;
  readonly scheduler: SimScheduler;
  readonly store: KeyValue = memoryKeyValues().open();
  /** Decides about each request. */
  fate: (process: LeaseProcess, operation: string) => Fate = () => prompt;
  /** What the store holds, and since when it held what. */
  readonly #history = new Map<string, { atMs: number; entry: KeyValueEntry | undefined }[]>();
  #arrivedMs = 0;

  constructor(seed: string) {
    this.random = new SimRandom(seed);
    this.scheduler = new SimScheduler({ random: this.random.fork('order'), trace: new SimTrace() });
  }

  /** Begins a life. */
  start(name: string, clock: SimMachineClockOptions = {}): LeaseProcess {
    const owner: SimOwner = { label: name, isAlive: true, isPaused: false, held: [] };
    const machine = new SimMachineClock(clock);
    const { scheduler } = this;
    const process: LeaseProcess = {
      name,
      owner,
      machine,
      clock: new SimClock({ scheduler, machine, owner, random: this.random.fork(name) }),
      keyValue: {
        get: key => this.#ask(process, 'get', staleMs => this.#get(key, staleMs)),
        create: (key, value) =>
          this.#ask(process, 'create', () => this.#written(key, this.store.create(key, value))),
        compareAndSet: (key, value, revision) =>
          this.#ask(process, 'set', () =>
            this.#written(key, this.store.compareAndSet(key, value, revision)),
          ),
        delete: (key, revision) =>
          this.#ask(process, 'delete', () => this.#written(key, this.store.delete(key, revision))),
        keys: prefix => this.#ask(process, 'keys', () => this.store.keys(prefix)),
        watch: (prefix, listener) =>
          this.store.watch(prefix, change => {
            const { answerMs } = this.fate(process, 'watch');
            this.#arrivedMs = Math.max(this.#arrivedMs + 1e-6, scheduler.nowMs + answerMs);
            const delayMs = this.#arrivedMs - scheduler.nowMs;
            scheduler.schedule({ delayMs, kind: 'watch', owner, task: () => listener(change) });
          }),
        close: async () => undefined,
      },
    };
    return process;
  }

  crash({ owner }: LeaseProcess): void {
    owner.isAlive = false;
    owner.held.length = 0;
  }

  pause({ owner }: LeaseProcess): void {
    owner.isPaused = true;
  }

  resume({ owner }: LeaseProcess): void {
    if (!owner.isAlive || !owner.isPaused) return;
    owner.isPaused = false;
    this.scheduler.release(owner);
  }

  /** Lets so much true time pass. */
  pass(delayMs: number): Promise<void> {
    return this.scheduler.run({ untilMs: this.scheduler.nowMs + delayMs });
  }

  /** What a promise gives when true time passes until it is settled. */
  async settled<Value>(promise: Promise<Value>): Promise<Value> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    promise.then(done, done);
    await this.scheduler.run({ untilMs: this.scheduler.nowMs + 600_000, isDone: () => isDone });
    return promise;
  }

  async #get(key: string, staleMs: number): Promise<KeyValueEntry | undefined> {
    if (staleMs === 0) return this.store.get(key);
    const limitMs = this.scheduler.nowMs - staleMs;
    return this.#history.get(key)?.findLast(({ atMs }) => atMs <= limitMs)?.entry;
  }

  async #written<Result>(key: string, writing: Promise<Result>): Promise<Result> {
    const result = await writing;
    const history = this.#history.get(key) ?? [];
    this.#history.set(key, history);
    history.push({ atMs: this.scheduler.nowMs, entry: await this.store.get(key) });
    return result;
  }

  /** A request and its answer are events of their own; either may never come. */
  #ask<Result>(
    process: LeaseProcess,
    operation: string,
    task: (staleMs: number) => Promise<Result>,
  ): Promise<Result> {
    const { scheduler } = this;
    const { owner } = process;
    const fate = this.fate(process, operation);
    return new Promise((resolve, reject) => {
      const answer = (delayMs: number, settle: () => void) =>
        scheduler.schedule({ delayMs, kind: 'answer', owner, task: settle });
      if (fate.isRefused === true) {
        const error = new TroupeError('ENGINE_UNAVAILABLE', { detail: 'refused on purpose' });
        answer(fate.answerMs, () => reject(error));
        return;
      }
      const lost = new TroupeError('ENGINE_FAILED', { detail: 'lost on purpose' });
      answer(timeoutMs, () => reject(lost));
      const served = async () => {
        const result = await task(fate.staleMs ?? 0);
        if (fate.isAnswerLost !== true) answer(fate.answerMs, () => resolve(result));
      };
      scheduler.schedule({ delayMs: fate.requestMs, kind: operation, task: () => void served() });
    });
  }
}
