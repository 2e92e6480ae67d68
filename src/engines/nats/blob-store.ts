/**
 * Heads and parts of blobs as messages of one stream: a subject for each head and each part, of
 * which the last message stays. Writing a part again changes nothing, since its name says what is
 * in it; heads are written on a condition.
 */
import { TroupeError } from '../../core/errors.ts';
import {
  type BlobHead,
  blobStream,
  blobSubjects,
  decodeBlobHead,
  encodeBlobHead,
} from './blob-head.ts';
import { askJetStream, isObject, type JsonObject, publishInto, refusedError } from './jetstream.ts';
import { type LeaderRecord, leaderRecord, type RecordParts } from './leader-record.ts';
import { type Attempted, repeat } from './repeat.ts';

/** A head, and its place. */
export interface StoredHead {
  readonly seq: number;
  readonly head: BlobHead;
}

/** A head that was come upon, and its place. */
export interface FoundHead {
  readonly id: string;
  readonly seq: number;
  /** When it was written, by the clock of the servers. */
  readonly storedMs: number;
  /** Nothing when it cannot be read. */
  readonly head: BlobHead | undefined;
}

/** A part of a blob. */
export interface BlobPart {
  readonly id: string;
  /** How the blob is cut. */
  readonly partBytes: number;
  readonly index: number;
}

/** The messages that blobs consist of. */
export class BlobStore {
  readonly #parts: RecordParts;
  readonly #stream: string;
  readonly #subjects: string;

  constructor(parts: RecordParts, cluster: string) {
    this.#parts = parts;
    this.#stream = blobStream(cluster);
    this.#subjects = blobSubjects(cluster);
  }

  /**
   * The head of a blob, and its sequence.
   *
   * @throws `LOG_CORRUPT` when it is damaged.
   */
  async head(id: string): Promise<StoredHead | undefined> {
    const record = await this.#record({ last_by_subj: this.#headSubject(id) });
    return record && { seq: record.seq, head: decodeBlobHead(id, record.payload) };
  }

  /** The next head whose sequence is at least this. */
  async nextHead(seq: number): Promise<FoundHead | undefined> {
    const record = await this.#record({ seq, next_by_subj: this.#headSubject('*') });
    if (record === undefined) return undefined;
    const id = record.subject.slice(this.#headSubject('').length);
    return { id, seq: record.seq, storedMs: record.storedMs, head: readable(id, record) };
  }

  /**
   * Writes a head where the one before has this sequence, 0 for none. Returns its sequence; nothing
   * when the condition did not hold, or no answer came: then what stands there decides.
   */
  writeHead(id: string, head: BlobHead, expectedSeq: number): Promise<number | undefined> {
    const payload = encodeBlobHead(head);
    return this.#repeat(async () => {
      const answer = await this.#publish(this.#headSubject(id), payload, expectedSeq);
      if (answer.status === 'accepted') return { value: answer.seq };
      if (answer.status === 'conflict' || answer.status === 'unknown') return { value: undefined };
      return passingOrThrow(answer, id);
    });
  }

  /** Writes a part. Without an answer it is written again: it would be the same. */
  async writePart(part: BlobPart, bytes: Uint8Array): Promise<void> {
    const { id } = part;
    await this.#repeat(async () => {
      const answer = await this.#publish(this.#partSubject(part), bytes);
      if (answer.status === 'accepted') return { value: true };
      if (answer.status === 'unknown') return { passing: unavailable(id, answer.cause) };
      if (answer.status === 'conflict') return { value: true };
      return passingOrThrow(answer, id);
    });
  }

  /** A part, if it is there. */
  async part(part: BlobPart): Promise<Uint8Array | undefined> {
    return (await this.#record({ last_by_subj: this.#partSubject(part) }))?.payload;
  }

  /** Removes the messages of a blob that lie below the head that says it is removed, and that. */
  async purge(id: string, removedSeq: number): Promise<void> {
    await this.#purge({ filter: `${this.#partsPrefix}${id}.>`, seq: removedSeq });
    await this.#purge({ filter: this.#headSubject(id), seq: removedSeq + 1 });
  }

  /** The blobs that have parts, whether they have a head or not. */
  async idsOfParts(): Promise<Set<string>> {
    const ids = new Set<string>();
    const prefix = this.#partsPrefix;
    for (let offset = 0; ; ) {
      const body = { subjects_filter: `${prefix}>`, offset };
      const info = await this.#api(`STREAM.INFO.${this.#stream}`, body);
      const subjects = subjectsIn(info);
      for (const subject of subjects) ids.add(subject.slice(prefix.length).split('.')[0] ?? '');
      offset += subjects.length;
      if (subjects.length === 0 || offset >= Number(info.total ?? 0)) return ids;
    }
  }

  /** What time the servers have. */
  async serverTimeMs(): Promise<number> {
    const subject = `${this.#subjects}.sweep`;
    return this.#repeat(async () => {
      const answer = await this.#publish(subject, noBytes);
      if (answer.status === 'unavailable') return passingOrThrow(answer, 'sweep');
      // Should this one not have been stored, the one before it is older, and the sweep milder.
      const record = await this.#record({ last_by_subj: subject });
      return record === undefined
        ? { passing: unavailable('sweep', undefined) }
        : { value: record.storedMs };
    });
  }

  #headSubject(id: string): string {
    return `${this.#subjects}.head.${id}`;
  }

  get #partsPrefix(): string {
    return `${this.#subjects}.part.`;
  }

  /** The same subject never has other bytes: who cuts in another way names other parts. */
  #partSubject({ id, partBytes, index }: BlobPart): string {
    return `${this.#partsPrefix}${id}.${partBytes}.${index}`;
  }

  #record(query: Parameters<typeof leaderRecord>[2]): Promise<LeaderRecord | undefined> {
    return leaderRecord(this.#parts, this.#stream, query);
  }

  #publish(subject: string, payload: Uint8Array, expectedSeq?: number) {
    const { client, timeoutMs } = this.#parts;
    return publishInto(client, subject, payload, { stream: this.#stream, timeoutMs, expectedSeq });
  }

  #repeat<Value>(attempt: () => Promise<Attempted<Value>>): Promise<Value> {
    return repeat(this.#parts, this.#parts.repeatMs, attempt);
  }

  async #purge(body: JsonObject): Promise<void> {
    await this.#api(`STREAM.PURGE.${this.#stream}`, body);
  }

  /** Both things asked for may be asked for again. */
  #api(operation: string, body: JsonObject): Promise<JsonObject> {
    const { client, timeoutMs } = this.#parts;
    return this.#repeat(async () => {
      const answer = await askJetStream(client, operation, body, timeoutMs);
      if (answer.status === 'answered') return { value: answer.value };
      if (answer.status === 'refused') throw refusedError(operation, answer.refusal);
      if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
      return { passing: unavailable(operation, answer.cause) };
    });
  }
}

const noBytes = new Uint8Array();

interface Unavailable {
  readonly cause: TroupeError;
  readonly isPassing: boolean;
}

function passingOrThrow({ cause, isPassing }: Unavailable, what: string): { passing: TroupeError } {
  if (!isPassing) throw cause;
  return { passing: unavailable(what, cause) };
}

/** Nothing that a reader could see has changed. */
function unavailable(what: string, cause: TroupeError | undefined): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `blobs, ${what}: ${cause?.detail ?? 'no answer of use came'}`,
    outcome: 'not-executed',
    cause,
  });
}

function readable(id: string, { payload }: LeaderRecord): BlobHead | undefined {
  try {
    return decodeBlobHead(id, payload);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    // Whoever reads the blob is told; who only looks through them leaves it.
    return undefined;
  }
}

function subjectsIn({ state }: JsonObject): string[] {
  const { subjects } = isObject(state) ? state : {};
  return isObject(subjects) ? Object.keys(subjects) : [];
}
