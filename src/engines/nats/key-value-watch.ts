/**
 * Watching keys without anything on the server that could be lost: the watch asks the leader for
 * what came after the last change it saw. It asks at once when a message for such a key passes by
 * (which is a hint and no more: the message may be refused, and is not stored yet), when the
 * connection is back, and else now and then.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Timer } from '../../ports/clock.ts';
import type { KeyValueChange } from '../../ports/key-value.ts';
import { patternOfPrefix } from './key-subject.ts';
import { changesFrom } from './key-value-scan.ts';
import type { RecordParts } from './leader-record.ts';

/** What is watched. */
export interface WatchedKeys {
  readonly bucket: string;
  readonly prefix: string;
  readonly listener: (change: KeyValueChange) => void;
}

/** How soon after a hint is asked, again and again until there is something: storing takes time. */
const hintedMs = [1, 4, 16, 64, 256] as const;
/** How long nothing is asked for when nothing hints at a change. */
const idleMs = 2_000;

/** One watch. */
export class KeyValueWatch {
  readonly #parts: RecordParts;
  readonly #watched: WatchedKeys;
  readonly #pattern: string;
  readonly #ends: (() => void)[] = [];
  /** Where the next change that was not seen yet may be. */
  #nextSeq = 1;
  /** Hints for which no change was found yet; those of refused messages are let go in time. */
  #hintsOpen = 0;
  /** How often it was asked in vain since the last hint or change. */
  #vain = 0;
  #isAsking = false;
  #isStopped = false;
  #timer: Timer | undefined;

  constructor(parts: RecordParts, watched: WatchedKeys) {
    this.#parts = parts;
    this.#watched = watched;
    this.#pattern = patternOfPrefix(watched.bucket, watched.prefix);
  }

  /**
   * Begins; resolves when the entries there are have been read.
   *
   * @throws `ENGINE_UNAVAILABLE`, `UNAUTHORIZED`.
   */
  async open(): Promise<void> {
    const { client } = this.#parts;
    this.#until(await client.subscribe(this.#pattern, () => this.#hint()));
    this.#until(
      client.onStatus(status => {
        if (status === 'connected') this.#hint();
      }),
    );
    this.#isAsking = true;
    // What is not there any more is no news to whoever has seen nothing yet.
    await this.#readOn(this.#parts, change => change.kind === 'put');
    this.#isAsking = false;
    this.#goOn();
  }

  /** Reports nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const end of this.#ends.splice(0)) end();
  }

  #until(end: () => void): void {
    if (this.#isStopped) end();
    else this.#ends.push(end);
  }

  #hint(): void {
    this.#hintsOpen += 1;
    this.#vain = 0;
    if (!this.#isAsking) this.#goOn();
  }

  /** Asks again, after the pause that is due now. */
  #goOn(): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    const hinted = this.#hintsOpen > 0 ? hintedMs[this.#vain] : undefined;
    this.#timer = this.#parts.clock.setTimer(hinted ?? idleMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#vain += 1;
    const found = await this.#tryToRead();
    this.#isAsking = false;
    if (found > 0) this.#vain = 0;
    const isLetGo = this.#vain >= hintedMs.length;
    this.#hintsOpen = isLetGo ? 0 : Math.max(0, this.#hintsOpen - found);
    this.#goOn();
  }

  async #tryToRead(): Promise<number> {
    try {
      return await this.#readOn({ ...this.#parts, repeatMs: 0 }, () => true);
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      // The engine is asked again soon; what it has by then is not lost.
      return 0;
    }
  }

  /** Reads to the end; returns how much there was. */
  async #readOn(parts: RecordParts, isNews: (change: KeyValueChange) => boolean): Promise<number> {
    const { bucket, prefix } = this.#watched;
    let count = 0;
    let lastSeq = this.#nextSeq - 1;
    const onSeq = (seq: number) => {
      count += 1;
      lastSeq = seq;
    };
    const changes = await changesFrom(parts, { bucket, prefix, seq: this.#nextSeq, onSeq });
    this.#nextSeq = lastSeq + 1;
    for (const change of changes.values()) if (isNews(change)) this.#report(change);
    return count;
  }

  #report(change: KeyValueChange): void {
    this.#parts.clock.defer(() => {
      if (!this.#isStopped) this.#watched.listener(change);
    });
  }
}
