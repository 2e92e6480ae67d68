/**
 * The durable timers of one activation. A timer that is due becomes an item of the mailbox; firing
 * it and what its turn decides are one record, so it fires at least once and its effect is once.
 */
import type { Envelope } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { AgentImage } from '../state/image.ts';
import type { Op, TimerEntry } from '../state/record.ts';
import { tickOf } from '../state/schedule.ts';
import type { Activation } from './activation.ts';
import type { MailboxItem } from './item.ts';
import { ownItem } from './own-item.ts';
import { deadLetterOps } from './seal.ts';
import { addOp, type TurnContext } from './turn-context.ts';

/** The timers of one activation. */
export class Timers {
  readonly #activation: Activation;
  /** Timers that wait in the mailbox, with the time they were due. */
  #firing: Map<string, number> | undefined;
  /** Failed attempts, and when the next may be made. */
  #failures: Map<string, { attempts: number; notBefore: number }> | undefined;
  #scheduled = Number.POSITIVE_INFINITY;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  /** Fires what is due. */
  wake(): void {
    this.#scheduled = Number.POSITIVE_INFINITY;
    const { image, host } = this.#activation;
    if (image === undefined) return;
    const now = host.clock.now();
    for (const [id, entry] of image.timers ?? []) {
      const notBefore = this.#failures?.get(id)?.notBefore ?? 0;
      if (entry.dueAt <= now && notBefore <= now && this.#firing?.get(id) !== entry.dueAt)
        this.#fire(id, entry, now);
    }
    this.onAccepted(image);
  }

  /** Tells the node when the agent wants to be woken. */
  onAccepted(image: AgentImage): void {
    const wakeAt = this.#nextWake(image);
    if (wakeAt === this.#scheduled) return;
    this.#scheduled = wakeAt;
    this.#activation.host.schedule(this.#activation.address, wakeAt);
  }

  close(): void {
    this.#firing = undefined;
  }

  #nextWake(image: AgentImage): number {
    if (image.timers === undefined && image.runs === undefined) return Number.POSITIVE_INFINITY;
    let wakeAt = this.#activation.tasks.nextWake();
    for (const [id, entry] of image.timers ?? []) {
      if (this.#firing?.get(id) === entry.dueAt) continue;
      wakeAt = Math.min(wakeAt, Math.max(entry.dueAt, this.#failures?.get(id)?.notBefore ?? 0));
    }
    return wakeAt;
  }

  #fire(id: string, entry: TimerEntry, now: number): void {
    const agent = this.#activation;
    this.#firing ??= new Map();
    this.#firing.set(id, entry.dueAt);
    const tick = tickOf(entry, now);
    const after: Op =
      tick.next === undefined ? ['untimer', id] : ['timer', id, { ...entry, dueAt: tick.next }];
    const item = ownItem(
      agent,
      entry.action,
      turn => this.#run(turn, id, entry, tick.runs, after),
      {
        input: entry.input,
        settled: error => this.#settled(item, id, entry, after, error),
      },
    );
    agent.host.enqueue(agent.address, item);
  }

  #run(turn: TurnContext, id: string, entry: TimerEntry, runs: boolean, after: Op): unknown {
    const current = this.#activation.image?.timers?.get(id);
    if (current === undefined || current.dueAt !== entry.dueAt) return undefined;
    addOp(turn, after);
    return runs ? this.#activation.perform(turn, entry.action, entry.input) : undefined;
  }

  #settled(
    item: MailboxItem,
    id: string,
    entry: TimerEntry,
    after: Op,
    error: TroupeError | undefined,
  ): void {
    if (this.#firing?.get(id) === entry.dueAt) this.#firing.delete(id);
    if (error === undefined) this.#failures?.delete(id);
    else if (error.code === 'REJECTED') this.#activation.record([after]).catch(() => this.wake());
    else this.#failed(item.envelope, id, after, error);
  }

  /** A timer whose turn threw is tried again later; after the last attempt it is a dead letter. */
  #failed(envelope: Envelope, id: string, after: Op, error: TroupeError): void {
    const { host, contract, image, isEnded } = this.#activation;
    if (isEnded || image === undefined) return;
    this.#failures ??= new Map();
    const attempts = (this.#failures.get(id)?.attempts ?? 0) + 1;
    if (attempts >= contract.limits.attemptsMax) {
      this.#failures.delete(id);
      const letter = deadLetterOps({ ...envelope, attempt: attempts }, error, host.clock.now());
      this.#activation.record([...letter, after]).catch(() => this.wake());
      return;
    }
    const pause = contract.limits.attemptBackoffMs * 2 ** (attempts - 1);
    this.#failures.set(id, { attempts, notBefore: host.clock.now() + pause });
    this.onAccepted(image);
  }
}
