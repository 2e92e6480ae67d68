/** What callers of the simulated world come up with: deeds, errands, alarms and jobs, at random. */
import type { Priority } from '../core/envelope.ts';
import type { SimRandom } from './sim-random.ts';
import {
  type Alarm,
  type Deed,
  type Errand,
  isMoth,
  type Job,
  type Part,
  type StepPart,
} from './sim-troupe-deeds.ts';
import type { TroupePlan } from './sim-troupe-plan.ts';

const chainLengthMax = 3;
const fanOutMax = 3;
const partsMax = 6;
const lanes = ['high', 'normal', 'low'] as const;
const stepNames = ['fetch', 'think', 'write'] as const;

/** Draws for one world. */
export class TroupeDraws {
  readonly random: SimRandom;
  readonly #plan: TroupePlan;

  constructor(plan: TroupePlan, random: SimRandom) {
    this.#plan = plan;
    this.random = random;
  }

  /** The same world, with luck of its own. */
  fork(name: string): TroupeDraws {
    return new TroupeDraws(this.#plan, this.random.fork(name));
  }

  /** The address of an agent; the first one is often meant. */
  agent(): string {
    const { cells, mayflies, moths, skew } = this.#plan;
    if (this.random.chance(skew)) return 'cell/0';
    const place = this.random.below(cells + mayflies + moths);
    if (place < cells) return `cell/${place}`;
    return place < cells + mayflies
      ? `mayfly/${place - cells}`
      : `moth/${place - cells - mayflies}`;
  }

  /** The address of an agent that is deleted now and then, if there are such. */
  mayfly(): string | undefined {
    const { mayflies } = this.#plan;
    return mayflies === 0 ? undefined : `mayfly/${this.random.below(mayflies)}`;
  }

  lane(): Priority {
    return this.random.chance(0.6) ? 'normal' : (this.random.pick(lanes) ?? 'normal');
  }

  /** A deed that a caller asks for. */
  deed(command: string): Deed {
    const { random } = this;
    const isLarge = random.chance(0.1);
    const isSpending = random.chance(this.#plan.spends);
    const amount = isSpending ? -(1 + random.below(40)) : 1 + random.below(9);
    return {
      ...this.#common(command, 0),
      amount,
      ...(isLarge ? { padding: '-'.repeat(600) } : {}),
    };
  }

  /** A job. */
  job(command: string): Job {
    const count = 1 + this.random.below(partsMax);
    const parts = Array.from({ length: count }, (_, place) => this.#part(`${command}.${place}`));
    return { command, parts };
  }

  #common(command: string, depth: number): Deed {
    const { random } = this;
    const { throws, poison, lingers } = this.#plan;
    const isPoison = depth > 0 && random.chance(poison);
    const isThrowing = random.chance(throws);
    const isSending = depth < chainLengthMax && random.chance(0.25);
    return {
      command,
      amount: 1 + random.below(9),
      ...(isPoison ? { throws: 1 } : isThrowing ? { throws: 0.5 } : {}),
      ...(isSending ? { sends: this.#errands(command, depth + 1) } : {}),
      ...(random.chance(0.08) ? { arms: this.#alarm() } : {}),
      ...(random.chance(0.04) ? { disarms: `t${random.below(3)}` } : {}),
      ...(random.chance(0.03) ? { looksAt: this.agent() } : {}),
      ...(random.chance(lingers) ? { lingers: this.#pause() } : {}),
    };
  }

  /** Mostly short, now and then longer than anybody waits. */
  #pause(): number {
    return Math.ceil(this.random.exponential(this.random.chance(0.2) ? 2_000 : 100));
  }

  #errands(command: string, depth: number): Errand[] {
    const count = 1 + this.random.below(fanOutMax);
    return Array.from({ length: count }, (_, place) => this.#errand(`${command}>${place}`, depth));
  }

  #errand(command: string, depth: number): Errand {
    const { random } = this;
    const errand = { to: this.agent(), lane: this.lane(), deed: this.#common(command, depth) };
    if (random.chance(0.9)) return errand;
    // A message that is promised from memory only must not promise others to be counted on.
    const { sends: _, ...deed } = errand.deed;
    return { ...errand, deed, delivery: random.chance(0.5) ? 'at_least_once' : 'at_most_once' };
  }

  #alarm(): Alarm {
    const { random } = this;
    const every = random.chance(0.25) ? (random.chance(0.7) ? 'span' : 'cron') : undefined;
    const ms = every === undefined ? 10 * 3_000 ** random.next() : random.between(2_000, 60_000);
    return {
      id: `t${random.below(3)}`,
      ms: Math.ceil(ms),
      ...(every === undefined ? {} : { every }),
      ...(random.chance(this.#plan.throws) ? { throws: 0.5 } : {}),
    };
  }

  #part(command: string): Part {
    const { random } = this;
    const drawn = random.below(20);
    if (drawn < 7) return this.#step();
    if (drawn < 8)
      return {
        kind: 'together',
        steps: ['a', 'b', 'c'].map(key => this.#step(`${key} ${command}`)),
      };
    if (drawn < 11) return { kind: 'update', deed: this.#common(command, 1) };
    if (drawn < 13)
      return { kind: 'send', errand: { ...this.#errand(command, 1), delivery: undefined } };
    if (drawn < 14) return this.#call(command);
    if (drawn < 15) return { kind: 'look', to: this.agent() };
    if (drawn < 16) return { kind: 'sleep', ms: Math.ceil(random.exponential(5_000)) };
    if (drawn < 18) return { kind: 'wait', ms: Math.ceil(random.exponential(10_000)) };
    return { kind: 'write' };
  }

  #call(command: string): Part {
    const to = this.agent();
    const { sends, ...deed } = this.#common(command, 1);
    // Agents without a log know no keys: a job that is resumed may ask them twice.
    return {
      kind: 'call',
      to,
      deed: isMoth(to) || sends === undefined ? deed : { ...deed, sends },
    };
  }

  #step(key?: string): StepPart {
    const { random } = this;
    const isPure = random.chance(0.15);
    const policy = random.pick(['retry', 'retry', 'fail', 'ask', 'find'] as const) ?? 'retry';
    return {
      kind: 'step',
      name: random.pick(stepNames) ?? 'fetch',
      ms: Math.ceil(random.exponential(random.chance(0.2) ? 1_000 : 5)),
      ...(key === undefined ? {} : { key }),
      ...(isPure ? { isPure } : {}),
      ...(random.chance(this.#plan.throws) ? { throws: 0.5 } : {}),
      ...(random.chance(0.2) ? { attempts: 3 } : {}),
      onUnknown: isPure ? 'retry' : policy,
    };
  }
}
