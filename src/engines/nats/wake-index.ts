/**
 * What is known of the wake marks: which logs may have work that is due, and on which marks this
 * writer may rely. It decides and remembers; reading and writing marks is the wake log's.
 */
import type { Clock } from '../../ports/clock.ts';

/** A mark that is known. */
export interface KnownMark {
  readonly dueAt: number;
  /** Its sequence in the stream of marks. */
  readonly seq: number;
  /** When we sent it, or first saw it; on the monotonic clock. */
  readonly since: number;
  /** Whether we wrote it, and nobody else has appended to the log since as far as we know. */
  readonly isOwn: boolean;
  /**
   * Whether an append of ours was accepted after it was written. Until then another writer, whose
   * mark it replaced, may rely on it: that writer's append may be the one that wins.
   */
  readonly isConfirmed: boolean;
}

/**
 * So long an own mark is relied on. Others take a mark away only when they have seen it unchanged
 * for much longer, so nobody relies on a mark that is gone.
 */
export const ownMarkMsMax = 600_000;
/** So long a mark of somebody else has to stand unchanged before it may be taken away. */
export const foreignMarkMsMin = 3_600_000;

/** The marks of all logs. */
export class WakeIndex {
  readonly #clock: Clock;
  readonly #marks = new Map<string, KnownMark>();
  /** Logs with an append that may still land: what it may rely on stays. */
  readonly #pinned = new Set<string>();
  #sorted: readonly string[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The mark of a log. */
  get(name: string): KnownMark | undefined {
    return this.#marks.get(name);
  }

  /** Whether an append that gives the log work at this time needs a mark first. */
  needsMark(name: string, wakeAt: number): boolean {
    if (wakeAt === Number.POSITIVE_INFINITY) return false;
    const mark = this.#marks.get(name);
    if (mark?.isOwn !== true || mark.dueAt > wakeAt) return true;
    return this.#clock.monotonic() - mark.since >= ownMarkMsMax;
  }

  /** Takes note of a mark of our own. */
  setOwn(name: string, mark: Omit<KnownMark, 'isOwn'>): void {
    this.#set(name, { ...mark, isOwn: true });
  }

  /** Takes note that an append of ours was accepted. */
  confirm(name: string): void {
    this.#pinned.delete(name);
    const mark = this.#marks.get(name);
    if (mark?.isOwn === true) this.#marks.set(name, { ...mark, isConfirmed: true });
  }

  /** Takes note of a mark that was read; an older one than is known changes nothing. */
  setSeen(name: string, dueAt: number, seq: number): void {
    if ((this.#marks.get(name)?.seq ?? 0) >= seq) return;
    this.#set(name, {
      dueAt,
      seq,
      since: this.#clock.monotonic(),
      isOwn: false,
      isConfirmed: false,
    });
  }

  /** Relies on the mark of a log no more: somebody else appended to the log. */
  disown(name: string): void {
    const mark = this.#marks.get(name);
    if (mark?.isOwn === true) this.#marks.set(name, { ...mark, isOwn: false, isConfirmed: false });
  }

  /** Forgets the mark of a log: it is gone, if it was this one. */
  remove(name: string, seq: number): void {
    if (this.#marks.get(name)?.seq !== seq) return;
    this.#marks.delete(name);
    this.#sorted = undefined;
  }

  /** Keeps the mark of a log as it is: an append that relies on it may still land. */
  pin(name: string): void {
    this.#pinned.add(name);
  }

  /** Lets the mark of a log be moved again. */
  unpin(name: string): void {
    this.#pinned.delete(name);
  }

  /**
   * Whether the mark of a log may be moved to a later time, or taken away: when nobody can rely on
   * it. After a message of ours (`isLastOurs`) no other writer can; else only time tells.
   */
  isMovable(name: string, isLastOurs: boolean): boolean {
    const mark = this.#marks.get(name);
    if (mark === undefined || this.#pinned.has(name)) return false;
    if (mark.isConfirmed && isLastOurs) return true;
    return this.#clock.monotonic() - mark.since >= foreignMarkMsMin;
  }

  /** Names of logs that may have work at this time or before, behind `after`, in order. */
  due(dueAt: number, prefix: string, after: string | undefined): readonly string[] {
    this.#sorted ??= [...this.#marks.keys()].sort();
    const names: string[] = [];
    for (const name of this.#sorted) {
      if (after !== undefined && name <= after) continue;
      if (!name.startsWith(prefix)) continue;
      if ((this.#marks.get(name)?.dueAt ?? Number.POSITIVE_INFINITY) <= dueAt) names.push(name);
    }
    return names;
  }

  #set(name: string, mark: KnownMark): void {
    if (!this.#marks.has(name)) this.#sorted = undefined;
    this.#marks.set(name, mark);
  }
}
