/**
 * One conditional write of a key, until it is known what became of it. A server that declines may
 * have been leader no more while another took the same message; so each write has a name, by which
 * it is found. What can neither be found nor be ruled out is unknown.
 */
import { TroupeError } from '../../core/errors.ts';
import type { KeyValueResult } from '../../ports/key-value.ts';
import { type PublishAnswer, publishInto } from './jetstream.ts';
import { originOf, revisionOf, writeHeaders } from './key-value-entry.ts';
import { leaderRecord, type RecordParts } from './leader-record.ts';
import { type Attempted, pause, repeat } from './repeat.ts';
import { isAtLeast } from './server-version.ts';

/** What is to be written. */
export interface KeyWrite {
  readonly key: string;
  readonly stream: string;
  readonly subject: string;
  /** With which sequence the subject is to end; 0 for a subject without messages. */
  readonly expectedSeq: number;
  /** Nothing to delete. */
  readonly value: Uint8Array | undefined;
  /** A name that no other write has. */
  readonly name: string;
}

/**
 * Writes.
 *
 * @throws `ENGINE_UNAVAILABLE` and others when it was surely not stored; `ENGINE_FAILED`
 * (`unknown`) when it may have been.
 */
export function writeKey(parts: RecordParts, write: KeyWrite): Promise<KeyValueResult> {
  return new Writing(parts, write).run();
}

class Writing {
  readonly #parts: RecordParts;
  readonly #write: KeyWrite;
  /** Whether an attempt may have been stored although it was declined. */
  #isDoubtful = false;

  constructor(parts: RecordParts, write: KeyWrite) {
    this.#parts = parts;
    this.#write = write;
  }

  run(): Promise<KeyValueResult> {
    return repeat(this.#parts, this.#parts.repeatMs, () => this.#attempt());
  }

  async #attempt(): Promise<Attempted<KeyValueResult>> {
    const answer = await this.#publish();
    if (answer.status === 'accepted') return { value: this.#accepted(answer.seq) };
    if (answer.status === 'unknown') throw this.#failure(answer.cause, 'unknown');
    this.#isDoubtful ||= !this.#isRuledOut(answer);
    if (!this.#isDoubtful && answer.status === 'conflict') return { value: conflict };
    const found = this.#isDoubtful ? await this.#findSoon() : undefined;
    if (found !== undefined) return { value: found };
    if (answer.status === 'conflict') return { passing: this.#failure(undefined, 'unknown') };
    const error = this.#failure(answer.cause, this.#isDoubtful ? 'unknown' : 'not-executed');
    if (answer.isPassing) return { passing: error };
    throw error;
  }

  #publish(): Promise<PublishAnswer> {
    const { client, timeoutMs } = this.#parts;
    const { subject, stream, expectedSeq, value, name } = this.#write;
    return publishInto(client, subject, value ?? noBytes, {
      stream,
      timeoutMs,
      expectedSeq,
      headers: writeHeaders(name, value === undefined),
    });
  }

  /**
   * A server that is alone is the leader, or there is none. Of several, one that names a later
   * message has it from all; before 2.12 it may be one that is only on its way.
   */
  #isRuledOut(answer: Exclude<PublishAnswer, { status: 'accepted' | 'unknown' }>): boolean {
    const { version, cluster } = this.#parts.client.server;
    if (cluster === undefined) return true;
    if (answer.status === 'unavailable') return answer.isSure;
    const isBehind = (answer.lastSeq ?? 0) > this.#write.expectedSeq;
    return isBehind && isAtLeast(version, sureVersion);
  }

  /** A rival that is on its way is stored within a moment; later it may be gone again. */
  async #findSoon(): Promise<KeyValueResult | undefined> {
    for (const pauseMs of findPausesMs) {
      if (pauseMs > 0) await pause(this.#parts.clock, pauseMs);
      const found = await this.#find();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The message that followed the expected one, if it is still there, tells whose it was. */
  async #find(): Promise<KeyValueResult | undefined> {
    const { stream, subject, expectedSeq, name } = this.#write;
    const query = { seq: expectedSeq + 1, next_by_subj: subject };
    const record = await this.#read(stream, query);
    if (record === undefined) return undefined;
    const origin = originOf(record);
    if (origin.name === name) return this.#accepted(record.seq);
    if (origin.expectedSeq === expectedSeq) return conflict;
    throw this.#failure(undefined, 'unknown');
  }

  async #read(...[stream, query]: [string, Parameters<typeof leaderRecord>[2]]) {
    try {
      return await leaderRecord({ ...this.#parts, repeatMs: 0 }, stream, query);
    } catch (error) {
      if (!TroupeError.is(error) || error.code !== 'ENGINE_UNAVAILABLE') throw error;
      // Nothing is settled; the next attempt asks again.
      return undefined;
    }
  }

  #accepted(seq: number): KeyValueResult {
    const isDeletion = this.#write.value === undefined;
    return { status: 'accepted', revision: revisionOf(seq, isDeletion) };
  }

  #failure(cause: TroupeError | undefined, outcome: 'unknown' | 'not-executed'): TroupeError {
    if (cause !== undefined && outcome === 'not-executed' && tellingCodes.has(cause.code)) {
      return cause;
    }
    const why = cause?.detail ?? 'a server declined it, and another may have taken it';
    const code = outcome === 'unknown' ? 'ENGINE_FAILED' : 'ENGINE_UNAVAILABLE';
    return new TroupeError(code, { detail: `writing ${this.#write.key}: ${why}`, outcome, cause });
  }
}

const conflict: KeyValueResult = { status: 'conflict' };
const noBytes = new Uint8Array();

/** Storing takes about 1 ms on three servers that flush. */
const findPausesMs = [0, 1, 1, 2, 4] as const;

/** From here on the number in a conflict is that of a message which is stored. */
const sureVersion = '2.12.0';

/** The causes that callers can do something about; all others are the engine's own. */
const tellingCodes = new Set(['DISK_FULL', 'PAYLOAD_TOO_LARGE', 'UNAUTHORIZED', 'OVERLOADED']);
