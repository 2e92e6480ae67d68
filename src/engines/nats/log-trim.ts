/**
 * Letting go of the beginning of a log. Whole messages are removed, all before the one that holds
 * the first record kept; a mark tells where in it the log begins when its form does not. A subject
 * is never left empty: its sequence would be expected to be 0 again, and two histories could grow.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Seq } from '../../ports/log.ts';
import type { NatsClient } from './client.ts';
import { askJetStream, publishInto, refusedError } from './jetstream.ts';
import { firstSeqOf, shownFrom, snapshotSeqIn } from './log-chain.ts';
import type { LogRead } from './log-read.ts';
import type { LogState } from './log-states.ts';
import { type LogLayout, markStreamName, markSubject } from './log-subjects.ts';
import { decodeFrame, type Frame, streamSeqOf } from './record-frame.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';
import { isAtLeast } from './server-version.ts';
import type { LeaderQuery, StreamReader } from './stream-reader.ts';

/** What trimming works with. */
export interface LogTrimParts extends RepeatParts {
  readonly client: NatsClient;
  readonly reader: StreamReader;
  readonly layout: LogLayout;
  readonly read: LogRead;
}

/**
 * Before this version a purge of a part, followed at once by a restart of the cluster, could be
 * replayed as a purge of all.
 */
const purgeVersion = '2.9.18';
const limits = { timeoutMs: 4_000, repeatMs: 10_000 } as const;
const cutBytes = 9;
const cutFormat = 1;

/** Trims logs. */
export class LogTrim {
  readonly #parts: LogTrimParts;

  constructor(parts: LogTrimParts) {
    this.#parts = parts;
  }

  /**
   * Lets go of all records before a place.
   *
   * @throws `INVALID_INPUT` when it lies behind the newest snapshot, or there is none.
   */
  async trim(state: LogState, before: Seq): Promise<void> {
    await this.#refuseBehindSnapshot(state, before);
    const from = Math.max(1, streamSeqOf(before));
    const next = { seq: from, next_by_subj: state.place.subject };
    const kept = await this.#frame(state, next);
    if (kept === undefined) return;
    await this.#markCut(state, kept, Math.max(before, firstSeqOf(kept)));
    if (kept.previous !== 0) await this.#removeBefore(state, kept.streamSeq);
  }

  /** The place that a log was trimmed to, as far as a mark says so. */
  async cutOf(state: LogState): Promise<Seq | undefined> {
    const { reader, layout } = this.#parts;
    const subject = markSubject(layout, 'cut', state.place);
    const found = await reader.fromLeader(markStreamName(layout), { last_by_subj: subject });
    return found === undefined ? undefined : cutIn(found.payload, state.place.name);
  }

  async #refuseBehindSnapshot(state: LogState, before: Seq): Promise<void> {
    // A snapshot that was seen in a later message settles it without reading.
    if (streamSeqOf(before) < (state.marks?.snapshot ?? 0)) return;
    const newest = await this.#newestSnapshot(state);
    if (newest !== undefined && before <= newest) return;
    throw new TroupeError('INVALID_INPUT', {
      detail: `${state.place.name} cannot be trimmed to ${before}: its newest snapshot is at ${newest ?? 'no place'}`,
    });
  }

  async #newestSnapshot(state: LogState): Promise<Seq | undefined> {
    const last = await this.#parts.read.end(state);
    if (last === undefined) return undefined;
    const inLast = snapshotSeqIn(last);
    if (inLast !== undefined || last.snapshotBefore === 0) return inLast;
    const frame = await this.#frame(state, { seq: last.snapshotBefore });
    return frame === undefined ? undefined : snapshotSeqIn(frame);
  }

  /** Writes where the log begins, unless a reader would find the same place without. */
  async #markCut(state: LogState, kept: Frame, cut: Seq): Promise<void> {
    const isPlain = this.#removesAtOnce && kept.records.length === 1;
    const known = isPlain ? undefined : await this.cutOf(state);
    // What was trimmed before is not shown again.
    if (known !== undefined && known > cut) return;
    const shown = shownFrom(kept, known);
    if (shown === cut && this.#removesAtOnce) return;
    // Between one removal and the next the log would begin anywhere.
    if (shown >= cut && (await this.#isFirst(state, kept))) return;
    await this.#writeCut(state, cut);
  }

  async #isFirst(state: LogState, { previous, streamSeq }: Frame): Promise<boolean> {
    if (previous === 0) return true;
    const first = await this.#first(state);
    return first === undefined || first.streamSeq >= streamSeq;
  }

  #first(state: LogState): Promise<Frame | undefined> {
    return this.#frame(state, { seq: 1, next_by_subj: state.place.subject });
  }

  get #removesAtOnce(): boolean {
    return isAtLeast(this.#parts.client.server.version, purgeVersion);
  }

  async #writeCut(state: LogState, cut: Seq): Promise<void> {
    const { client, layout } = this.#parts;
    const payload = Buffer.alloc(cutBytes);
    payload[0] = cutFormat;
    payload.writeDoubleLE(cut, 1);
    const stream = markStreamName(layout);
    const subject = markSubject(layout, 'cut', state.place);
    await repeat(this.#parts, limits.repeatMs, async (): Promise<Attempted<true>> => {
      const { timeoutMs } = limits;
      const answer = await publishInto(client, subject, payload, { stream, timeoutMs });
      if (answer.status === 'accepted') return { value: true };
      if (answer.status === 'unavailable' && !answer.isPassing) throw answer.cause;
      return { passing: answer.status === 'conflict' ? strayConflict(subject) : answer.cause };
    });
  }

  async #removeBefore(state: LogState, kept: number): Promise<void> {
    const { stream, subject } = state.place;
    if (this.#removesAtOnce) {
      await this.#ask(`STREAM.PURGE.${stream}`, { filter: subject, seq: kept });
      return;
    }
    let seq = (await this.#first(state))?.streamSeq ?? kept;
    while (seq < kept) {
      await this.#ask(`STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true });
      const next = await this.#parts.reader.fromLeader(stream, { seq, next_by_subj: subject });
      if (next === undefined) return;
      seq = next.seq;
    }
  }

  /** What was removed already is refused, and what timed out is asked for again: both harmless. */
  async #ask(operation: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    await repeat(this.#parts, limits.repeatMs, async (): Promise<Attempted<true>> => {
      const answer = await askJetStream(this.#parts.client, operation, body, limits.timeoutMs);
      if (answer.status === 'answered') return { value: true };
      if (answer.status !== 'refused') return { passing: answer.cause };
      if (answer.refusal.errorCode === goneCode) return { value: true };
      throw refusedError(operation, answer.refusal);
    });
  }

  async #frame(state: LogState, query: LeaderQuery): Promise<Frame | undefined> {
    const { name, stream, subject } = state.place;
    const found = await this.#parts.reader.fromLeader(stream, query);
    if (found === undefined || found.subject !== subject) return undefined;
    return decodeFrame(found.payload, found.seq, name);
  }
}

/**
 * The place that a mark says.
 *
 * @throws `LOG_CORRUPT` when it is none.
 */
export function cutIn(payload: Uint8Array, name: string): Seq {
  const buffer = Buffer.from(payload);
  if (buffer.length === cutBytes && buffer[0] === cutFormat) return buffer.readDoubleLE(1);
  throw new TroupeError('LOG_CORRUPT', { detail: `the mark of where ${name} begins is none` });
}

/** "sequence N not found". */
const goneCode = 10043;

function strayConflict(subject: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${subject} was refused although nothing was expected of it`,
    outcome: 'not-executed',
  });
}
