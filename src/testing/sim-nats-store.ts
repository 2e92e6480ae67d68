/**
 * What one replica of a stream holds: messages by their sequence and by their subject. It carries
 * out what it is told, the same on every replica; who may tell it, and when, is decided above it.
 * Each change can be taken back, as the loss of power takes back what was not flushed.
 */
import type { NatsHeaders } from '../engines/nats/client.ts';
import { isPattern, matches } from './sim-nats-subjects.ts';

/** A message as a stream keeps it. */
export interface KeptMessage {
  readonly seq: number;
  readonly subject: string;
  readonly headers: NatsHeaders;
  readonly payload: Uint8Array;
  readonly timeMs: number;
}

/** A message without its place. */
export type NewMessage = Omit<KeptMessage, 'seq'>;

/** What a change did, so that it can be taken back. */
export interface StoreChange {
  readonly added?: KeptMessage | undefined;
  readonly removed: readonly KeptMessage[];
}

/** Which messages a purge takes; without any of these all of them. */
export interface PurgeFilter {
  readonly filter?: string | undefined;
  /** Only those before this sequence. */
  readonly seq?: number | undefined;
  /** Leaves so many of the newest. */
  readonly keep?: number | undefined;
}

// What a file store writes around a message, as its accounting counts it.
const frameBytes = 30;
const headerLengthBytes = 4;
const headerLineBytes = 4;

/** The bytes that a stream counts for a message. */
export function bytesOfMessage({ subject, headers, payload }: NewMessage): number {
  const headed = headerBytes(headers);
  const ofHeaders = headed === 0 ? 0 : headed + headerLengthBytes;
  return frameBytes + subject.length + ofHeaders + payload.length;
}

/** The bytes of headers on the wire. */
export function headerBytes(headers: NatsHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    bytes += name.length + Buffer.byteLength(headers[name] ?? '') + headerLineBytes;
  }
  // The first line of a block of headers and the empty one that ends it.
  return bytes === 0 ? 0 : bytes + 12;
}

/** The messages of one replica of a stream. */
export class SimNatsStore {
  readonly #messages = new Map<number, KeptMessage>();
  readonly #subjects = new Map<string, number[]>();
  #lastSeq = 0;
  #lastTimeMs = 0;
  #firstSeq = 0;
  #bytes = 0;

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** The oldest message there is; 0 before the first ever, one above the last when all are gone. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  get count(): number {
    return this.#messages.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get subjectCount(): number {
    return this.#subjects.size;
  }

  /** A store with the same messages. */
  copy(): SimNatsStore {
    const copy = new SimNatsStore();
    for (const message of this.#messages.values()) copy.#insert(message);
    copy.#lastSeq = this.#lastSeq;
    copy.#lastTimeMs = this.#lastTimeMs;
    copy.#firstSeq = this.#firstSeq;
    return copy;
  }

  get(seq: number): KeptMessage | undefined {
    return this.#messages.get(seq);
  }

  /** The newest message of a subject, or of all that a pattern stands for. */
  last(pattern: string): KeptMessage | undefined {
    let newest = 0;
    for (const [, seqs] of this.#matching(pattern)) newest = Math.max(newest, seqs.at(-1) ?? 0);
    return this.#messages.get(newest);
  }

  /** The first message from a sequence on, of a subject or of all that a pattern stands for. */
  next(pattern: string, seq: number): KeptMessage | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [, seqs] of this.#matching(pattern)) {
      const found = seqs[placeOf(seqs, seq)];
      if (found !== undefined && found < oldest) oldest = found;
    }
    return this.#messages.get(oldest);
  }

  /** How many messages from a sequence on there are, of a subject or a pattern. */
  countFrom(pattern: string, seq: number): number {
    let count = 0;
    for (const [, seqs] of this.#matching(pattern)) count += seqs.length - placeOf(seqs, seq);
    return count;
  }

  /** The newest message of each subject that a pattern stands for, up to a sequence, in order. */
  lastOfEach(patterns: readonly string[], upTo: number = Number.POSITIVE_INFINITY): KeptMessage[] {
    const seqs = new Set<number>();
    for (const pattern of patterns) {
      for (const [, of] of this.#matching(pattern)) {
        const seq = of[placeOf(of, upTo + 1) - 1];
        if (seq !== undefined) seqs.add(seq);
      }
    }
    return [...seqs].sort(ascending).flatMap(seq => this.#messages.get(seq) ?? []);
  }

  /** How many messages each subject has that a pattern stands for, in order of the subjects. */
  counts(pattern: string): [subject: string, count: number][] {
    const found = [...this.#matching(pattern)].map(([subject, seqs]) => [subject, seqs.length]);
    return (found as [string, number][]).sort(([left], [right]) => (left < right ? -1 : 1));
  }

  /** The sequences between the first and the last that are gone. */
  gaps(): number[] {
    const gaps: number[] = [];
    for (let seq = Math.max(1, this.#firstSeq); seq < this.#lastSeq; seq++) {
      if (!this.#messages.has(seq)) gaps.push(seq);
    }
    return gaps;
  }

  /** The oldest message. */
  oldest(): KeptMessage | undefined {
    return this.#messages.get(this.#firstSeq);
  }

  /** Adds a message behind the last one, and takes away others. */
  append(message: NewMessage, removed: readonly number[]): StoreChange {
    const added: KeptMessage = { ...message, seq: this.#lastSeq + 1 };
    this.#insert(added);
    this.#lastSeq = added.seq;
    this.#lastTimeMs = added.timeMs;
    if (this.#firstSeq === 0) this.#firstSeq = added.seq;
    return { added, removed: this.remove(removed).removed };
  }

  /** Takes messages away. */
  remove(seqs: readonly number[]): StoreChange {
    const removed = seqs.flatMap(seq => this.#messages.get(seq) ?? []);
    for (const message of removed) this.#take(message);
    while (this.#firstSeq <= this.#lastSeq && !this.#messages.has(this.#firstSeq)) {
      if (this.#firstSeq === 0) break;
      this.#firstSeq++;
    }
    return { removed };
  }

  /** The messages that a purge takes. */
  purged({ filter = '>', seq, keep }: PurgeFilter): number[] {
    const seqs: number[] = [];
    for (const [, of] of this.#matching(filter)) seqs.push(...of);
    seqs.sort(ascending);
    if (seq !== undefined && seq > 0) return seqs.slice(0, placeOf(seqs, seq));
    return keep === undefined ? seqs : seqs.slice(0, Math.max(0, seqs.length - keep));
  }

  /** The oldest messages of a subject, all but so many of the newest. */
  surplus(subject: string, keep: number): number[] {
    const seqs = this.#subjects.get(subject) ?? [];
    return seqs.slice(0, Math.max(0, seqs.length - keep));
  }

  /** How many messages a subject has. */
  countOf(subject: string): number {
    return this.#subjects.get(subject)?.length ?? 0;
  }

  /** Takes the newest change back. */
  undo({ added, removed }: StoreChange): void {
    if (added !== undefined) {
      this.#take(added);
      this.#lastSeq = added.seq - 1;
    }
    for (const message of removed) this.#insert(message);
    const seqs = [...this.#messages.keys()];
    this.#firstSeq = seqs.length === 0 ? this.#lastSeq + 1 : Math.min(...seqs);
  }

  *#matching(pattern: string): Iterable<[string, number[]]> {
    if (!isPattern(pattern)) {
      const seqs = this.#subjects.get(pattern);
      if (seqs !== undefined) yield [pattern, seqs];
      return;
    }
    for (const entry of this.#subjects) {
      if (pattern === '>' || matches(pattern, entry[0])) yield entry;
    }
  }

  #insert(message: KeptMessage): void {
    const { seq, subject } = message;
    if (this.#messages.has(seq)) return;
    this.#messages.set(seq, message);
    this.#bytes += bytesOfMessage(message);
    const seqs = this.#subjects.get(subject);
    if (seqs === undefined) this.#subjects.set(subject, [seq]);
    else if (seq > (seqs.at(-1) ?? 0)) seqs.push(seq);
    else seqs.splice(placeOf(seqs, seq), 0, seq);
  }

  #take(message: KeptMessage): void {
    const { seq, subject } = message;
    if (!this.#messages.delete(seq)) return;
    this.#bytes -= bytesOfMessage(message);
    const seqs = this.#subjects.get(subject);
    if (seqs === undefined) return;
    seqs.splice(placeOf(seqs, seq), 1);
    if (seqs.length === 0) this.#subjects.delete(subject);
  }
}

/** The place of the first number that is this one or a larger one. */
function placeOf(seqs: readonly number[], seq: number): number {
  let [low, high] = [0, seqs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ascending(left: number, right: number): number {
  return left - right;
}
