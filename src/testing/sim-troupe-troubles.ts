/**
 * What befalls a node of a cluster as a whole: it freezes for longer than its lease lasts, loses
 * the servers, moves to another machine, or is taken for dead while it lives, so that two lives of
 * it meet at the servers. Only the one whose lease holds may answer, and only one may write.
 */
import type { SimOwner } from './sim-event-heap.ts';
import type { SimNatsCluster } from './sim-nats-cluster.ts';
import type { SimLeftLife, SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimWorld } from './sim-world.ts';

/** Every kind of trouble. */
export const nodeTroubleKinds = [
  /** It stands still, and goes on as if nothing had been. */
  'node-frozen',
  /** It reaches no server. */
  'node-cut',
  /** It dies, and starts on another machine, where nobody knows that it is dead. */
  'node-moved',
  /** It stands still while another life of it begins elsewhere. */
  'node-left-frozen',
  /** It reaches no server while another life of it begins elsewhere. */
  'node-left-cut',
  /** It is started a second time although nothing is wrong with it. */
  'node-left-alive',
] as const;

/** A kind of trouble. */
export type NodeTroubleKind = (typeof nodeTroubleKinds)[number];

/** What differs from one world's troubles to the next. */
export interface NodeTroublePlan {
  readonly kinds: readonly NodeTroubleKind[];
  /** Mean time between them. */
  readonly gapMs: number;
}

/** What troubles work with. */
export interface NodeTroubleParts {
  readonly world: SimWorld;
  readonly cluster: SimNatsCluster;
  readonly random: SimRandom;
  readonly plan: NodeTroublePlan;
  readonly node: () => SimProcess;
  /** The newest life of the node that has come as far as the servers. */
  readonly owner: () => SimOwner | undefined;
  /** Lets the next life begin on another machine. */
  readonly moveOut: () => void;
  /** Lets somebody look at every agent. */
  readonly lookAround: () => void;
}

/** Around the span of a lease: some end before it runs out. */
const lastsMs = { low: 4_000, high: 60_000 } as const;
/** How long a life that was left behind goes on when its trouble is over. */
const afterMs = { low: 500, high: 60_000 } as const;
/** How likely an old life comes back as soon as a new one serves, and how soon. */
const meetingProbability = 0.5;
const meetingMs = { low: 20, high: 2_000 } as const;
const lookMs = 50;
const lookAroundMs = [5, 50, 300, 1_000] as const;
/** How long ago a life may have ended that a later one was refused for. */
const refusedForMs = 30_000;

/** The troubles of one world. */
export class NodeTroubles {
  readonly #parts: NodeTroubleParts;
  readonly #left = new Map<number, SimLeftLife>();
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #era = 0;

  constructor(parts: NodeTroubleParts) {
    this.#parts = parts;
  }

  /** Lets them happen until a time. */
  begin(untilMs: number): void {
    const { random, plan, world } = this.#parts;
    const delayMs = random.exponential(plan.gapMs);
    const kind = random.pick(plan.kinds);
    const durationMs = logarithmic(random, lastsMs);
    if (kind === undefined || world.nowMs + delayMs >= untilMs) return;
    this.#later(delayMs, () => {
      this.happen(kind, durationMs);
      this.begin(untilMs);
    });
  }

  /** Lets one happen now. */
  happen(kind: NodeTroubleKind, durationMs: number): void {
    const node = this.#parts.node();
    // One at a time is enough: two lives, not three.
    if (node.program === undefined || this.#left.size > 0) return;
    if (kind === 'node-frozen') this.#freeze(node, durationMs);
    else if (kind === 'node-cut') this.#cut(durationMs);
    else if (kind === 'node-moved') this.#move(node);
    else this.#leave(node, kind, durationMs);
  }

  /** Whether a start may be refused because another life holds the lease. */
  get isRefusalDue(): boolean {
    return this.#left.size > 0 || this.#parts.world.nowMs - this.#lastEndMs < refusedForMs;
  }

  /** Ends a life that was left behind, as whoever looks after it would when it fails. */
  end(incarnation: number): void {
    const left = this.#left.get(incarnation);
    if (left === undefined) return;
    this.#left.delete(incarnation);
    this.#lastEndMs = this.#parts.world.nowMs;
    left.end();
  }

  /** Ends all troubles. */
  heal(): void {
    this.#era++;
    for (const incarnation of [...this.#left.keys()]) this.end(incarnation);
  }

  #freeze(node: SimProcess, durationMs: number): void {
    if (node.isPaused) return;
    this.#parts.world.countFault('node-frozen');
    node.pause();
    this.#later(durationMs, () => node.resume());
  }

  #cut(durationMs: number): void {
    const { world, cluster } = this.#parts;
    const owner = this.#parts.owner();
    if (owner === undefined) return;
    world.countFault('node-cut');
    cluster.cutOwner(owner);
    this.#later(durationMs, () => cluster.healOwner(owner));
  }

  #move(node: SimProcess): void {
    const { world, moveOut } = this.#parts;
    world.countFault('node-moved');
    moveOut();
    world.crash(node, 'kill');
  }

  #leave(node: SimProcess, kind: NodeTroubleKind, durationMs: number): void {
    const { world, cluster, random, moveOut } = this.#parts;
    const left = world.leaveBehind(node);
    if (left === undefined) return;
    const { incarnation, owner } = left;
    world.countFault(kind);
    moveOut();
    this.#left.set(incarnation, left);
    if (kind === 'node-left-frozen') left.pause();
    if (kind === 'node-left-cut') cluster.cutOwner(owner);
    const heal = () => {
      left.resume();
      cluster.healOwner(owner);
    };
    this.#later(durationMs, heal);
    // Most goes wrong where the old life comes back right when the new one has begun to serve.
    if (random.chance(meetingProbability)) this.#meet(heal);
    const lifeMs = durationMs + logarithmic(random, afterMs);
    this.#later(lifeMs, () => this.end(incarnation));
  }

  /** Ends a trouble when the new life serves; somebody looks at its agents before and after. */
  #meet(heal: () => void): void {
    const { node, random, lookAround } = this.#parts;
    if (this.#left.size === 0) return;
    if (node().program === undefined) {
      this.#later(lookMs, () => this.#meet(heal));
      return;
    }
    lookAround();
    const delayMs = logarithmic(random, meetingMs);
    this.#later(delayMs, heal);
    for (const afterwardsMs of lookAroundMs) this.#later(delayMs + afterwardsMs, lookAround);
  }

  #later(delayMs: number, task: () => void): void {
    const era = this.#era;
    this.#parts.world.scheduler.schedule({
      delayMs,
      kind: 'node-trouble',
      task: () => {
        if (era === this.#era) task();
      },
    });
  }
}

/** Short spans are as likely as long ones. */
function logarithmic(
  random: SimRandom,
  { low, high }: { readonly low: number; readonly high: number },
): number {
  return low * (high / low) ** random.next();
}
