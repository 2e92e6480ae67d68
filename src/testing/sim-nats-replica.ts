/**
 * One member of a replicated group of the model: its log of decided and undecided entries, and the
 * state that the decided ones have made. How members agree is the group's business.
 */
import type { SimNatsServer } from './sim-nats-net.ts';

/** What the entries of a group change. The same entries make the same state. */
export interface SimNatsMachine<Op, Result> {
  apply(op: Op): Result;
  /** Takes back what was applied last; false when it is too long ago. */
  undo(): boolean;
  copy(): SimNatsMachine<Op, Result>;
}

/** An entry of a log. The first one of a term has nothing to apply. */
export interface SimNatsEntry<Op> {
  readonly term: number;
  readonly op: Op | undefined;
}

// A member that was down for longer gets a copy of the state instead.
const keptMax = 2_048;

/** One member of a group. */
export class SimNatsReplica<Op, Result> {
  readonly server: SimNatsServer;
  machine: SimNatsMachine<Op, Result>;
  term = 1;
  isLeader = false;
  /** Whom it follows; nobody once it has stood for election itself. */
  leader: SimNatsReplica<Op, Result> | undefined;
  /** How many entries it knows to be decided, and has applied. */
  commit = 0;
  applied = 0;
  /** As a leader: the entry with which its term began; it serves once that is applied. */
  servesFrom = 0;
  #base = 0;
  #entries: SimNatsEntry<Op>[] = [];

  constructor(server: SimNatsServer, machine: SimNatsMachine<Op, Result>) {
    this.server = server;
    this.machine = machine;
  }

  get last(): number {
    return this.#base + this.#entries.length;
  }

  get lastTerm(): number {
    return this.termAt(this.last) ?? 0;
  }

  /** The term of an entry; absent when the entry is not there, or no longer. */
  termAt(index: number): number | undefined {
    return this.#entries[index - this.#base - 1]?.term;
  }

  push(entry: SimNatsEntry<Op>): number {
    this.#entries.push(entry);
    return this.last;
  }

  /** Applies the next decided entry. */
  applyNext(): Result | undefined {
    const entry = this.#entries[this.applied - this.#base];
    this.applied++;
    const result = entry?.op === undefined ? undefined : this.machine.apply(entry.op);
    if (this.applied - this.#base > keptMax * 2) {
      this.#entries.splice(0, keptMax);
      this.#base += keptMax;
    }
    return result;
  }

  /** Makes its log the same as the leader's; false when it took a copy of the whole state. */
  follow(leader: SimNatsReplica<Op, Result>): boolean {
    let common = Math.min(this.last, leader.last);
    const known = Math.max(this.#base, leader.#base);
    while (common > known && this.termAt(common) !== leader.termAt(common)) common--;
    if (common < leader.#base || common < this.applied) {
      this.#copy(leader);
      return false;
    }
    this.#entries.length = common - this.#base;
    for (let index = common; index < leader.last; index++) {
      this.#entries.push(leader.#entries[index - leader.#base] as SimNatsEntry<Op>);
    }
    return true;
  }

  /** Forgets the newest entries, decided or not, as a server does that lost its power. */
  forget(count: number): number {
    let forgotten = 0;
    while (forgotten < count && this.#entries.length > 0) {
      const index = this.last;
      const entry = this.#entries.at(-1);
      if (index <= this.applied) {
        if (entry?.op !== undefined && !this.machine.undo()) break;
        this.applied = index - 1;
      }
      this.#entries.pop();
      if (entry?.op !== undefined) forgotten++;
    }
    this.commit = Math.min(this.commit, this.last);
    return forgotten;
  }

  #copy(leader: SimNatsReplica<Op, Result>): void {
    this.machine = leader.machine.copy();
    this.#base = leader.applied;
    this.#entries = leader.#entries.slice(leader.applied - leader.#base);
    this.applied = leader.applied;
    this.commit = leader.applied;
  }
}
