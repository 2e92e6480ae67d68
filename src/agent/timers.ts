/**
 * The durable timers of one activation. A timer that is due becomes an item of the mailbox; firing
 * it and what its turn decides are one record, so it fires at least once and its effect is once.
 */
import type { Envelope } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { AgentImage } from '../state/agent-image.ts';
import type { TimerEntry } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import { tickOf } from '../state/schedule.ts';
import type { LiveAgent } from './live-agent.ts';
import { ownItem } from './own-item.ts';
import { deadLetterOps } from './quotas.ts';
import { addOp, type TurnContext } from './turn-context.ts';

interface Failure {
  readonly entry: TimerEntry;
  readonly attempts: number;
  /** When the next attempt may be made. */
  readonly notBefore: number;
}

/** A timer that is firing. Its entry is told from one that replaced it by identity. */
interface Firing {
  readonly id: string;
  readonly entry: TimerEntry;
  /** Whether this tick runs the action, or is only counted. */
  readonly runs: boolean;
  /** What takes its place. */
  readonly after: Op;
}

/** The timers of one activation. */
export class Timers {
  readonly #agent: LiveAgent;
  /** Timers that wait in the mailbox. */
  #firing: Map<string, TimerEntry> | undefined;
  #failures: Map<string, Failure> | undefined;
  #scheduled = Number.POSITIVE_INFINITY;

  constructor(agent: LiveAgent) {
    this.#agent = agent;
  }

  /** Whether no timer waits for another attempt: they are counted here only. */
  get areQuiet(): boolean {
    for (const [id, { entry }] of this.#failures ?? [])
      if (this.#agent.image?.timers?.get(id) === entry) return false;
    return true;
  }

  /** Fires what is due. */
  wake(): void {
    this.#scheduled = Number.POSITIVE_INFINITY;
    const { image, host, isEnded } = this.#agent;
    if (image === undefined || isEnded) return;
    const now = host.clock.now();
    for (const [id, entry] of image.timers ?? []) {
      if (this.#firing?.get(id) !== entry && this.#dueAt(id, entry) <= now) {
        this.#fire(id, entry, now);
      }
    }
    this.onAccepted(image);
  }

  /** Tells the node when the agent wants to be woken. */
  onAccepted(image: AgentImage): void {
    const wakeAt = this.#nextWake(image);
    if (wakeAt === this.#scheduled) return;
    this.#scheduled = wakeAt;
    this.#agent.host.schedule(this.#agent.address, wakeAt);
  }

  /** Fires nothing any more. */
  close(): void {
    this.#firing = undefined;
  }

  #nextWake(image: AgentImage): number {
    if (image.timers === undefined && image.runs === undefined) return Number.POSITIVE_INFINITY;
    let wakeAt = this.#agent.tasks.nextWake();
    for (const [id, entry] of image.timers ?? []) {
      if (this.#firing?.get(id) !== entry) wakeAt = Math.min(wakeAt, this.#dueAt(id, entry));
    }
    return wakeAt;
  }

  /** When a timer is due, or its next attempt. */
  #dueAt(id: string, entry: TimerEntry): number {
    const failure = this.#failures?.get(id);
    return failure?.entry === entry ? Math.max(entry.dueAt, failure.notBefore) : entry.dueAt;
  }

  #fire(id: string, entry: TimerEntry, now: number): void {
    const agent = this.#agent;
    this.#firing ??= new Map();
    this.#firing.set(id, entry);
    const { runs, next } = tickOf(entry, now);
    const after: Op =
      next === undefined ? ['untimer', id] : ['timer', id, { ...entry, dueAt: next }];
    const firing = { id, entry, runs, after };
    const item = ownItem(agent, entry.action, turn => this.#run(turn, firing), {
      input: entry.input,
      settled: error => this.#settled(item.envelope, firing, error),
    });
    agent.host.enqueue(agent.address, item);
  }

  #isCurrent({ id, entry }: Firing): boolean {
    return this.#agent.image?.timers?.get(id) === entry;
  }

  #run(turn: TurnContext, firing: Firing): unknown {
    if (!this.#isCurrent(firing)) return undefined;
    // The clock may have been set back since the timer was found due: never early, then.
    if (this.#agent.host.clock.now() < firing.entry.dueAt) return undefined;
    addOp(turn, firing.after);
    const { action, input } = firing.entry;
    return firing.runs ? this.#agent.perform(turn, action, input) : undefined;
  }

  #settled(envelope: Envelope, firing: Firing, error: TroupeError | undefined): void {
    const { id, entry } = firing;
    if (this.#firing?.get(id) === entry) this.#firing.delete(id);
    const { image } = this.#agent;
    if (error === undefined) {
      this.#failures?.delete(id);
      if (image !== undefined && !this.#agent.isEnded) this.onAccepted(image);
    }
    // What replaced or cancelled the timer meanwhile stands.
    else if (this.#agent.isEnded || !this.#isCurrent(firing)) return;
    else if (error.code === 'REJECTED') this.#record([firing.after]);
    else this.#failed(envelope, firing, error);
  }

  /** A timer whose turn threw is tried again later; after the last attempt it is a dead letter. */
  #failed(envelope: Envelope, { id, entry, after }: Firing, error: TroupeError): void {
    const { host, contract, image } = this.#agent;
    const { attemptsMax, attemptBackoffMs } = contract.limits;
    const before = this.#failures?.get(id);
    const attempts = (before?.entry === entry ? before.attempts : 0) + 1;
    this.#failures ??= new Map();
    if (attempts >= attemptsMax) {
      this.#failures.delete(id);
      const letter = deadLetterOps(this.#agent, { ...envelope, attempt: attempts }, error);
      this.#record([...letter, after]);
      return;
    }
    const notBefore = host.clock.now() + attemptBackoffMs * 2 ** (attempts - 1);
    this.#failures.set(id, { entry, attempts, notBefore });
    if (image !== undefined) this.onAccepted(image);
  }

  #record(ops: readonly Op[]): void {
    this.#agent.record(ops).catch(() => this.wake());
  }
}
