/**
 * The subjects of all logs in pages, in one order: by stream, then by subject. Small streams are
 * listed whole, large ones a shard at a time, in the same order.
 */
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient } from './client.ts';
import { askJetStream, isObject, type JsonObject, refusedError } from './jetstream.ts';
import {
  type LogLayout,
  logStreamName,
  logSubjectPrefix,
  nameOfSubject,
  shardsOfStream,
} from './log-subjects.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';
import { wordOf } from './subject-word.ts';

/** Some subjects of one stream. */
export interface SubjectPage {
  readonly stream: number;
  readonly subjects: readonly string[];
  /** How far the stream had come when its leader listed them. */
  readonly minSeq: number;
  /** Where to go on; absent when this was all. */
  readonly cursor: string | undefined;
}

/** What listing subjects works with. */
export interface SubjectPagesParts extends RepeatParts {
  readonly client: NatsClient;
  readonly layout: LogLayout;
  /** A stream with more subjects is listed by shards (default 8,192). */
  readonly wholeMax?: number | undefined;
}

interface Place {
  readonly stream: number;
  readonly after: string;
}

interface Listing {
  readonly subjects: string[];
  readonly lastSeq: number;
}

const wholeMaxDefault = 8_192;
const limits = { timeoutMs: 4_000, repeatMs: 10_000 } as const;
/** Sorts behind every character of a subject of ours. */
const endMark = '~';

/** The subjects of the logs. */
export class SubjectPages {
  readonly #parts: SubjectPagesParts;
  /** How many subjects each stream had when it was last asked. */
  readonly #counts: (number | undefined)[] = [];

  constructor(parts: SubjectPagesParts) {
    this.#parts = parts;
  }

  /**
   * Subjects behind a cursor, at most so many, of logs whose names begin so. A page may be empty
   * and yet not the last.
   *
   * @throws `INVALID_INPUT` when the cursor is not one of ours; `NO_QUORUM`, `ENGINE_UNAVAILABLE`.
   */
  async after(cursor: string | undefined, prefix: string, limit: number): Promise<SubjectPage> {
    const place = this.#placeIn(cursor);
    const { stream, after } = place;
    const shard = await this.#shardToList(place);
    const { subjects, lastSeq } = await this.#list(stream, this.#filter(shard, prefix));
    const wanted = subjects
      .filter(subject => subject > after && this.#mayBegin(subject, prefix))
      .sort();
    const page = wanted.slice(0, limit);
    const last = wanted.length > page.length ? page.at(-1) : undefined;
    const next = last === undefined ? this.#behind(stream, shard) : `${stream}:${last}`;
    return { stream, subjects: page, minSeq: lastSeq, cursor: next };
  }

  /** How far a stream has come. */
  async lastSeq(stream: number): Promise<number> {
    return (await this.#info(stream, undefined)).lastSeq;
  }

  /** The shard to list next; nothing when the stream is listed whole. */
  async #shardToList({ stream, after }: Place): Promise<number | undefined> {
    if (this.#counts[stream] === undefined) await this.#info(stream, undefined);
    const { layout, wholeMax = wholeMaxDefault } = this.#parts;
    if ((this.#counts[stream] ?? 0) <= wholeMax) return undefined;
    const shards = shardsOfStream(layout, stream);
    return shards.find(shard => after < this.#endOf(shard)) ?? shards.at(-1);
  }

  /** Where to go on when a stream, or a shard of it, is done. */
  #behind(stream: number, shard: number | undefined): string | undefined {
    const { layout } = this.#parts;
    if (shard !== undefined && shard !== shardsOfStream(layout, stream).at(-1)) {
      return `${stream}:${this.#endOf(shard)}`;
    }
    return stream + 1 < layout.streamCount ? `${stream + 1}:` : undefined;
  }

  #endOf(shard: number): string {
    return `${logSubjectPrefix(this.#parts.layout)}${shard}.${endMark}`;
  }

  /** Names of one type are listed by the server. */
  #filter(shard: number | undefined, prefix: string): string {
    const start = `${logSubjectPrefix(this.#parts.layout)}${shard ?? '*'}.`;
    const slash = prefix.indexOf('/');
    const type = slash < 0 ? '' : wordOf(prefix.slice(0, slash));
    const isPlain = type !== '' && type.length < typeLengthMax;
    return isPlain ? `${start}${type}.>` : `${start}>`;
  }

  #mayBegin(subject: string, prefix: string): boolean {
    return nameOfSubject(this.#parts.layout, subject)?.startsWith(prefix) ?? true;
  }

  async #list(stream: number, filter: string): Promise<Listing> {
    const subjects: string[] = [];
    while (true) {
      const page = await this.#info(stream, { subjects_filter: filter, offset: subjects.length });
      subjects.push(...page.subjects);
      if (page.subjects.length === 0 || subjects.length >= page.total) {
        return { subjects, lastSeq: page.lastSeq };
      }
    }
  }

  async #info(stream: number, body: JsonObject | undefined) {
    const name = logStreamName(this.#parts.layout, stream);
    const operation = `STREAM.INFO.${name}`;
    const value = await repeat(this.#parts, limits.repeatMs, async () => {
      const answer = await askJetStream(this.#parts.client, operation, body, limits.timeoutMs);
      if (answer.status === 'refused') throw refusedError(operation, answer.refusal);
      return attemptedOf(answer);
    });
    const state = isObject(value.state) ? value.state : {};
    this.#counts[stream] = numberOf(state.num_subjects);
    const subjects = isObject(state.subjects) ? Object.keys(state.subjects) : [];
    return { subjects, total: numberOf(value.total), lastSeq: numberOf(state.last_seq) };
  }

  #placeIn(cursor: string | undefined): Place {
    if (cursor === undefined) return { stream: 0, after: '' };
    const match = /^(\d{1,4}):(.*)$/s.exec(cursor);
    const stream = Number(match?.[1] ?? Number.NaN);
    if (stream < this.#parts.layout.streamCount) return { stream, after: match?.[2] ?? '' };
    throw new TroupeError('INVALID_INPUT', { detail: `${JSON.stringify(cursor)} is not a cursor` });
  }
}

/** Types whose words are longer may be hashed together with their keys. */
const typeLengthMax = 100;

function attemptedOf(
  answer:
    | { readonly status: 'answered'; readonly value: JsonObject }
    | { readonly status: 'unavailable' | 'unknown'; readonly cause: TroupeError },
): Attempted<JsonObject> {
  return answer.status === 'answered' ? { value: answer.value } : { passing: answer.cause };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
