/**
 * What happens in a simulated hour: callers that act in short spells with long pauses between them,
 * and bursts of many callers on one agent, often in company of a fault.
 */
import { applyFault, type SimFaultKind } from './sim-faults.ts';
import type { SimRandom } from './sim-random.ts';
import { type CallerBench, type Verb, wish } from './sim-troupe-callers.ts';
import { isMoth } from './sim-troupe-deeds.ts';
import type { TroupeDraws } from './sim-troupe-draws.ts';
import type { TroupePlan } from './sim-troupe-plan.ts';
import { cleanUp, look, lookBack, nudge, remove, startJob } from './sim-troupe-visits.ts';

const burst = { low: 8, high: 24 } as const;
const burstProbability = 0.08;
const shortPauseMs = 20;
/** Mean of the long pauses, for each caller there is: so many operations an hour are drawn. */
const longPauseMs = 8_000;
const longPauseShare = 0.3;
const cleaningMs = 60_000;
/** The longest pause of the cleaner: whoever asks has to be answered before the end. */
const cleaningMsMax = 90_000;
const oldCommandsMax = 200;

/**
 * How long after the last fault the cleaner goes on. What it retries is promised anew, and what it
 * answers runs on: both need time before the end is judged.
 */
export const tidyMs = 300_000;

/** The callers of one world. */
export class TroupeWorkload {
  readonly #bench: CallerBench;
  readonly #plan: TroupePlan;
  readonly #draws: TroupeDraws;
  /** Commands that were given a key: they may come again at any time. */
  readonly #old: Parameters<typeof wish>[1][] = [];

  constructor(bench: CallerBench, plan: TroupePlan, draws: TroupeDraws) {
    this.#bench = bench;
    this.#plan = plan;
    this.#draws = draws;
  }

  /** Lets all callers begin. */
  start(): void {
    for (let number = 0; number < this.#plan.callers; number++) {
      const draws = this.#draws.fork(`caller-${number}`);
      this.#begin(draws.random.between(0, 5_000), () => this.#live(`caller-${number}`, draws));
    }
    const draws = this.#draws.fork('cleaner');
    this.#begin(cleaningMs, () => this.#clean(draws));
  }

  /** Somebody looks at every agent: what is old must not be shown. */
  lookAround(): void {
    const { cells, mayflies } = this.#plan;
    if (this.#bench.world.nowMs >= this.#bench.endMs) return;
    const agents = [
      ...Array.from({ length: cells }, (_, place) => `cell/${place}`),
      ...Array.from({ length: mayflies }, (_, place) => `mayfly/${place}`),
    ];
    for (const agent of agents) {
      const client = `around-${this.#bench.recorder.operations.length}`;
      this.#do(() => look(this.#bench, { client, agent }, 'look'));
    }
  }

  #begin(delayMs: number, task: () => Promise<void>): void {
    const { world } = this.#bench;
    world.scheduler.schedule({ delayMs, kind: 'caller', task: () => void task() });
  }

  async #live(client: string, draws: TroupeDraws): Promise<void> {
    const { world, endMs } = this.#bench;
    for (let number = 0; world.nowMs < endMs; number++) {
      const isBurst = draws.random.chance(burstProbability);
      if (isBurst) this.#burst(`${client}-${number}`, draws);
      else this.#act(`${client}-${number}`, { client, agent: draws.agent() }, draws);
      const isLong = draws.random.chance(longPauseShare);
      const mean = isLong ? longPauseMs * this.#plan.callers : shortPauseMs;
      await world.scheduler.sleep(draws.random.exponential(mean));
    }
  }

  /** Many callers want the same agent at once: this is where answers meet each other. */
  #burst(name: string, draws: TroupeDraws): void {
    const { diary } = this.#bench;
    const agent = draws.agent();
    const count = burst.low + draws.random.below(burst.high - burst.low);
    for (let place = 0; place < count; place++) {
      const luck = draws.fork(`${name}/${place}`);
      diary.inBursts++;
      if (luck.random.chance(0.15)) {
        this.#do(() => look(this.#bench, { client: `${name}-${place}`, agent }, 'look'));
      } else this.#wish(`${name}-${place}`, agent, luck);
    }
    if (draws.random.chance(this.#plan.burstFaults)) this.#fault(draws);
  }

  /** A fault a few milliseconds from now. */
  #fault(draws: TroupeDraws): void {
    const { world, node } = this.#bench;
    const kind = draws.random.pick(this.#plan.faultKinds) as SimFaultKind;
    const severity = draws.random.next();
    const durationMs = 20 * 100 ** draws.random.next();
    world.scheduler.schedule({
      delayMs: draws.random.exponential(2),
      kind: 'burst-fault',
      task: () => {
        if (world.nowMs >= this.#bench.endMs) return;
        applyFault(world, { kind, severity, durationMs, target: node.name, atMs: world.nowMs });
      },
    });
  }

  #act(name: string, visit: { client: string; agent: string }, draws: TroupeDraws): void {
    const luck = draws.fork(name);
    const drawn = isMoth(visit.agent) ? mothVisit(luck.random) : luck.random.below(100);
    if (drawn < 15) this.#do(() => look(this.#bench, visit, 'look'));
    else if (drawn < 22) this.#do(() => look(this.#bench, visit, 'peek'));
    // Each of these folds a whole history.
    else if (drawn < 23 && luck.random.chance(0.5))
      this.#do(() => lookBack(this.#bench, visit, luck));
    else if (drawn < 33) this.#do(() => startJob(this.#bench, visit, luck));
    else if (drawn < 39) this.#do(() => nudge(this.#bench, visit));
    else if (drawn < 41) this.#delete(visit.client, luck);
    else if (drawn < 48) this.#again(luck);
    else this.#wish(name, visit.agent, luck);
  }

  #delete(client: string, luck: TroupeDraws): void {
    const agent = luck.mayfly();
    if (agent !== undefined) this.#do(() => remove(this.#bench, { client, agent }));
  }

  /** Comes back with a command of long ago. */
  #again(luck: TroupeDraws): void {
    const old = luck.random.pick(this.#old);
    if (old !== undefined) this.#do(() => wish(this.#bench, old, luck));
  }

  #wish(name: string, agent: string, luck: TroupeDraws): void {
    const drawn = verbOf(luck.random.next());
    const verb = isMoth(agent) ? unkeyed[drawn] : drawn;
    const each = { client: name, agent, deed: luck.deed(name), verb, lane: luck.lane() };
    if (verb === 'keyed' || verb === 'request') {
      if (this.#old.length < oldCommandsMax) this.#old.push(each);
      else this.#old[luck.random.below(oldCommandsMax)] = each;
    }
    this.#do(() => wish(this.#bench, each, luck));
  }

  async #clean(draws: TroupeDraws): Promise<void> {
    const { world, endMs } = this.#bench;
    while (world.nowMs < endMs + tidyMs) {
      await cleanUp(this.#bench, 'cleaner', draws);
      const pauseMs = draws.random.exponential(cleaningMs);
      await world.scheduler.sleep(Math.min(pauseMs, cleaningMsMax));
    }
  }

  #do(task: () => Promise<void>): void {
    const { diary } = this.#bench;
    diary.active++;
    void task().finally(() => {
      diary.active--;
    });
  }
}

/** Moths are looked at, or asked for a deed. */
function mothVisit(random: SimRandom): number {
  return random.chance(0.3) ? 0 : 99;
}

/** Agents without a log know no keys. */
const unkeyed: Readonly<Record<Verb, Verb>> = {
  execute: 'execute',
  keyed: 'execute',
  send: 'send',
  'keyed-send': 'send',
  call: 'call',
  request: 'call',
};

function verbOf(drawn: number): Verb {
  if (drawn < 0.45) return 'execute';
  if (drawn < 0.65) return 'keyed';
  if (drawn < 0.77) return 'send';
  if (drawn < 0.85) return 'keyed-send';
  return drawn < 0.92 ? 'request' : 'call';
}
