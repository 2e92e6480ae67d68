/**
 * How the members of a replicated group agree: a leader of a term decides with a majority, members
 * that do not hear it elect another one, and a leader that hears no majority goes on for a while in
 * good faith. It is Raft with the times that JetStream was measured to need; votes are taken in one
 * moment, because clients cannot tell. What entries mean is left to the machine.
 */
import type { SimEvent } from './sim-event-heap.ts';
import type { SimNatsNet, SimNatsServer } from './sim-nats-net.ts';
import { type SimNatsMachine, SimNatsReplica } from './sim-nats-replica.ts';
import type { SimRandom } from './sim-random.ts';

/** How long things take in a group. */
export interface SimNatsTimes {
  /** How long a member waits for its leader before it stands for election (4 to 9 s). */
  readonly electionMs: Span;
  /** How long the election takes when a leader has to give way to a higher term. */
  readonly reelectionMs: Span;
  /** How long a leader without a majority goes on (8 to 11 s). */
  readonly lostQuorumMs: Span;
}

interface Span {
  readonly low: number;
  readonly high: number;
}

/** What a group is made of. */
export interface SimNatsGroupOptions<Op, Result> {
  readonly net: SimNatsNet;
  readonly random: SimRandom;
  readonly times: SimNatsTimes;
  readonly servers: readonly SimNatsServer[];
  machine(): SimNatsMachine<Op, Result>;
  /** A member has applied an entry, or several. */
  onApplied(replica: SimNatsReplica<Op, Result>): void;
  /** Another member leads. */
  onElected(): void;
}

interface Progress {
  match: number;
  told: number;
  isSending: boolean;
}

/** What a member knows as long as it leads. */
interface Lead<Op, Result> {
  readonly waiting: Map<number, (result: Result) => void>;
  readonly progress: Map<SimNatsReplica<Op, Result>, Progress>;
}

type Replica<Op, Result> = SimNatsReplica<Op, Result>;

/** A replicated group. */
export class SimNatsGroup<Op, Result> {
  readonly replicas: readonly Replica<Op, Result>[];
  readonly #options: SimNatsGroupOptions<Op, Result>;
  readonly #net: SimNatsNet;
  readonly #random: SimRandom;
  readonly #timers = new Map<Replica<Op, Result>, SimEvent>();
  readonly #leads = new Map<Replica<Op, Result>, Lead<Op, Result>>();
  readonly #quorum: number;
  #isClosed = false;

  constructor(options: SimNatsGroupOptions<Op, Result>) {
    this.#options = options;
    this.#net = options.net;
    this.#random = options.random;
    this.replicas = options.servers.map(each => new SimNatsReplica(each, options.machine()));
    this.#quorum = Math.floor(this.replicas.length / 2) + 1;
    this.#begin();
  }

  /** The members that take requests: one, or for a while an old leader beside the new one. */
  serving(): Replica<Op, Result>[] {
    return this.replicas.filter(each => this.isServing(each));
  }

  /** Whether a member believes that it leads, and has caught up. A frozen one still does. */
  isServing(replica: Replica<Op, Result>): boolean {
    const { isAlive, isReady } = replica.server;
    return replica.isLeader && isAlive && isReady && replica.applied >= replica.servesFrom;
  }

  /** Hands an entry to a leader; `done` hears of it once it is decided and applied there. */
  propose(leader: Replica<Op, Result>, op: Op, done: (result: Result) => void): void {
    const index = leader.push({ term: leader.term, op });
    this.#leads.get(leader)?.waiting.set(index, done);
    this.#advance(leader);
    this.#replicate(leader);
  }

  /** Gives the lead to another member, as an operator may ask for. */
  stepDown(): void {
    for (const leader of this.replicas.filter(each => each.isLeader)) this.#depose(leader);
    this.review();
  }

  /** Takes the newest entries from a member, decided or not; how many it had. */
  forget(replica: Replica<Op, Result>, count: number): number {
    const forgotten = replica.forget(count);
    replica.servesFrom = Math.min(replica.servesFrom, replica.last);
    for (const { progress } of this.#leads.values()) progress.clear();
    return forgotten;
  }

  /** Looks who hears whom: to be called whenever that may have changed. */
  review(): void {
    if (this.#isClosed) return;
    for (const replica of this.replicas) {
      if (!replica.server.isAlive) this.#died(replica);
      else if (replica.isLeader) this.#reviewLeader(replica);
      else if (!this.#hears(replica)) this.#standLater(replica, this.#options.times.electionMs);
    }
  }

  /** Lets nothing happen any more. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) this.#net.scheduler.cancel(timer);
    this.#leads.clear();
  }

  /** A group begins in agreement: its making was what all waited for. */
  #begin(): void {
    const first = this.#random.pick(this.replicas.filter(each => this.#acts(each)));
    for (const replica of this.replicas) {
      replica.push({ term: replica.term, op: undefined });
      replica.commit = replica.last;
      replica.applyNext();
      replica.leader = first;
    }
    if (first !== undefined) {
      first.isLeader = true;
      first.servesFrom = first.last;
      this.#leads.set(first, { waiting: new Map(), progress: new Map() });
    }
    this.review();
  }

  #acts(replica: Replica<Op, Result>): boolean {
    return replica.server.isReady && this.#net.isRunning(replica.server);
  }

  #canTalk(one: Replica<Op, Result>, other: Replica<Op, Result>): boolean {
    return this.#acts(one) && this.#acts(other) && this.#net.canTalk(one.server, other.server);
  }

  #hears(replica: Replica<Op, Result>): boolean {
    const { leader } = replica;
    if (leader === undefined || !leader.isLeader || leader.term !== replica.term) return false;
    return this.#canTalk(leader, replica);
  }

  #died(replica: Replica<Op, Result>): void {
    this.#resign(replica);
  }

  #reviewLeader(leader: Replica<Op, Result>): void {
    const reached = this.replicas.filter(each => this.#canTalk(leader, each));
    // Whoever was out of reach says anew what it has.
    const progress = this.#leads.get(leader)?.progress;
    for (const each of this.replicas) if (!reached.includes(each)) progress?.delete(each);
    this.#replicate(leader);
    if (reached.length >= this.#quorum) this.#disarm(leader);
    else if (this.replicas.length > 1) this.#giveUpLater(leader);
  }

  #giveUpLater(leader: Replica<Op, Result>): void {
    this.#arm(leader, this.#options.times.lostQuorumMs, 'nats-lost-quorum', () => {
      const reached = this.replicas.filter(each => this.#canTalk(leader, each));
      if (!leader.isLeader || !this.#acts(leader) || reached.length >= this.#quorum) return;
      this.#resign(leader);
      this.review();
    });
  }

  #standLater(replica: Replica<Op, Result>, span: Span): void {
    if (this.replicas.length === 1 && !this.#acts(replica)) return;
    // A group of one has nobody to wait for.
    const wait = this.replicas.length === 1 ? { low: 1, high: 20 } : span;
    this.#arm(replica, wait, 'nats-election', () => {
      if (!this.#acts(replica) || replica.isLeader || this.#hears(replica)) return;
      this.#stand(replica);
      this.review();
    });
  }

  /** Asks everybody who can be reached for a vote. */
  #stand(candidate: Replica<Op, Result>): void {
    candidate.leader = undefined;
    candidate.term++;
    let votes = 0;
    for (const voter of this.replicas) {
      if (!this.#canTalk(candidate, voter)) continue;
      if (voter === candidate || this.#votesFor(voter, candidate)) votes++;
    }
    if (votes >= this.#quorum) this.#lead(candidate);
    // Somebody was further: the next time it asks for more.
    else candidate.term = Math.max(candidate.term, ...this.#termsNear(candidate));
  }

  #termsNear(replica: Replica<Op, Result>): number[] {
    return this.replicas.filter(each => this.#canTalk(replica, each)).map(each => each.term);
  }

  #votesFor(voter: Replica<Op, Result>, candidate: Replica<Op, Result>): boolean {
    if (voter.term >= candidate.term) return false;
    if (voter.isLeader) this.#resign(voter);
    voter.term = candidate.term;
    voter.leader = undefined;
    if (voter.lastTerm !== candidate.lastTerm) return voter.lastTerm < candidate.lastTerm;
    return voter.last <= candidate.last;
  }

  #lead(replica: Replica<Op, Result>): void {
    this.#disarm(replica);
    this.#leads.set(replica, { waiting: new Map(), progress: new Map() });
    this.#options.onElected();
    replica.isLeader = true;
    replica.leader = replica;
    replica.servesFrom = replica.push({ term: replica.term, op: undefined });
    for (const other of this.replicas) {
      if (other !== replica && this.#canTalk(replica, other)) {
        other.leader = replica;
        other.term = replica.term;
        this.#disarm(other);
      }
    }
    this.#advance(replica);
    this.#replicate(replica);
  }

  #resign(leader: Replica<Op, Result>): void {
    leader.isLeader = false;
    leader.leader = undefined;
    this.#leads.delete(leader);
    this.#disarm(leader);
  }

  #depose(leader: Replica<Op, Result>): void {
    this.#resign(leader);
    for (const each of this.replicas) {
      if (each.leader === leader) each.leader = undefined;
      if (this.#acts(each)) this.#standLater(each, this.#options.times.reelectionMs);
    }
  }

  #replicate(leader: Replica<Op, Result>): void {
    for (const follower of this.replicas) {
      if (follower !== leader) this.#sendTo(leader, follower);
    }
  }

  #sendTo(leader: Replica<Op, Result>, follower: Replica<Op, Result>): void {
    const progress = this.#progressOf(leader, follower);
    const isBehind = progress.match < leader.last || progress.told < leader.commit;
    if (progress.isSending || !(isBehind || follower.leader !== leader)) return;
    if (!this.#canTalk(leader, follower)) return;
    progress.isSending = true;
    const { term } = leader;
    this.#net.send(leader.server, follower.server, 'nats-append', () => {
      progress.isSending = false;
      if (this.#isClosed || !leader.isLeader || leader.term !== term) return;
      if (this.#canTalk(leader, follower)) this.#receive(leader, follower, progress);
    });
  }

  #receive(leader: Replica<Op, Result>, follower: Replica<Op, Result>, progress: Progress): void {
    if (follower.term > leader.term) {
      // It stood for election while it was cut off: the leader has to give way, and all wait.
      leader.term = follower.term;
      this.#depose(leader);
      return;
    }
    if (follower.isLeader) this.#resign(follower);
    follower.term = leader.term;
    follower.leader = leader;
    this.#disarm(follower);
    const before = follower.last;
    if (!follower.follow(leader)) this.#options.onApplied(follower);
    follower.commit = Math.max(follower.commit, Math.min(leader.commit, follower.last));
    progress.told = leader.commit;
    this.#apply(follower);
    if (follower.last === before && progress.match === before) return;
    const index = follower.last;
    this.#net.send(follower.server, leader.server, 'nats-appended', () => {
      if (this.#isClosed || !leader.isLeader || leader.term !== follower.term) return;
      progress.match = Math.max(progress.match, index);
      this.#advance(leader);
      this.#replicate(leader);
    });
  }

  /** Decides what a majority has, if it is of this term, and with it all before. */
  #advance(leader: Replica<Op, Result>): void {
    const matches = this.replicas.map(each =>
      each === leader ? leader.last : this.#progressOf(leader, each).match,
    );
    const index = matches.sort((left, right) => right - left)[this.#quorum - 1] ?? 0;
    if (index <= leader.commit || leader.termAt(index) !== leader.term) return;
    leader.commit = index;
    this.#apply(leader);
  }

  #apply(replica: Replica<Op, Result>): void {
    const { lagMs } = replica.server;
    if (lagMs === 0 || replica.isLeader) {
      this.#applyTo(replica, replica.commit);
      return;
    }
    const { commit } = replica;
    this.#net.scheduler.schedule({
      delayMs: lagMs,
      kind: 'nats-late-apply',
      task: () => {
        if (!this.#isClosed) this.#applyTo(replica, Math.min(commit, replica.commit));
      },
    });
  }

  #applyTo(replica: Replica<Op, Result>, index: number): void {
    if (replica.applied >= index) return;
    const waiting = this.#leads.get(replica)?.waiting;
    while (replica.applied < index) {
      const result = replica.applyNext();
      const done = waiting?.get(replica.applied);
      waiting?.delete(replica.applied);
      // A place without an operation has no result, and nobody waits for it.
      if (result !== undefined) done?.(result);
    }
    this.#options.onApplied(replica);
  }

  #progressOf(leader: Replica<Op, Result>, follower: Replica<Op, Result>): Progress {
    const progress = this.#leads.get(leader)?.progress;
    const known = progress?.get(follower) ?? { match: 0, told: 0, isSending: false };
    progress?.set(follower, known);
    return known;
  }

  #arm(replica: Replica<Op, Result>, span: Span, kind: string, task: () => void): void {
    if (this.#timers.has(replica)) return;
    const timer = this.#net.scheduler.schedule({
      delayMs: this.#random.between(span.low, span.high),
      kind,
      task: () => {
        this.#timers.delete(replica);
        if (!this.#isClosed) task();
      },
    });
    this.#timers.set(replica, timer);
  }

  #disarm(replica: Replica<Op, Result>): void {
    const timer = this.#timers.get(replica);
    if (timer !== undefined) this.#net.scheduler.cancel(timer);
    this.#timers.delete(replica);
  }
}
