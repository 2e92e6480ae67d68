/**
 * What a thread and its storage worker say to each other. A message holds many requests, or many
 * answers; an answer names the request by its number.
 */
import { type ErrorValue, TroupeError } from '../../core/errors.ts';
import type { AppendResult, LogSlice, NewRecord, Seq, StoredRecord } from '../../ports/log.ts';
import type { MessageReader, MessageWriter } from './message-bytes.ts';

/** The kinds of request. */
export const requestKind = {
  append: 1,
  read: 2,
  readLatest: 3,
  trim: 4,
  control: 5,
  export: 6,
} as const;

/** The kinds of answer. */
export const answerKind = {
  accepted: 1,
  conflict: 2,
  unavailable: 3,
  unknown: 4,
  slice: 5,
  value: 6,
  thrown: 7,
  /** Not an answer: the store failed for good. */
  failed: 8,
} as const;

/** Something rare, as JSON: its name and what it needs. */
export interface Control {
  readonly name: string;
  readonly input?: unknown;
}

/** An append as it crosses. */
export interface AppendMessage {
  readonly name: Uint8Array;
  readonly expected: Seq;
  readonly wakeAt: number | undefined;
  readonly records: readonly NewRecord[];
}

/** An append as it is asked for. */
export interface AppendRequest {
  readonly name: string;
  readonly expected: Seq;
  readonly wakeAt: number | undefined;
  readonly records: readonly NewRecord[];
}

/** Writes an append. */
export function writeAppend(writer: MessageWriter, append: AppendRequest): void {
  const { name, expected, wakeAt, records } = append;
  writer.text(name);
  writer.number(expected);
  writer.byte(wakeAt === undefined ? 0 : 1);
  writer.number(wakeAt ?? 0);
  writer.integer(records.length);
  for (const { bytes, isSnapshot } of records) {
    writer.byte(isSnapshot === true ? 1 : 0);
    writer.bytes(bytes);
  }
}

/** Reads what {@link writeAppend} wrote. */
export function readAppend(reader: MessageReader): AppendMessage {
  const name = reader.bytes();
  const expected = reader.number();
  const hasWakeAt = reader.byte() === 1;
  const wakeAt = reader.number();
  const records: NewRecord[] = [];
  for (let count = reader.integer(); count > 0; count -= 1) {
    const isSnapshot = reader.byte() === 1;
    records.push({ isSnapshot, bytes: reader.bytes() });
  }
  return { name, expected, wakeAt: hasWakeAt ? wakeAt : undefined, records };
}

/** Writes what became of an append. */
export function writeAppendResult(writer: MessageWriter, id: number, result: AppendResult): void {
  writer.byte(answerKind[result.status]);
  writer.integer(id);
  if (result.status === 'accepted') writer.number(result.seq);
  else if (result.status !== 'conflict') writeError(writer, result.cause);
}

/** Writes a part of a log. */
export function writeSlice(writer: MessageWriter, id: number, slice: LogSlice): void {
  writer.byte(answerKind.slice);
  writer.integer(id);
  writer.number(slice.tail);
  writer.byte(slice.isComplete ? 1 : 0);
  writer.integer(slice.records.length);
  for (const { seq, isSnapshot, bytes } of slice.records) {
    writer.number(seq);
    writer.byte(isSnapshot ? 1 : 0);
    writer.bytes(bytes);
  }
}

/** Reads what {@link writeSlice} wrote behind kind and number. */
export function readSlice(reader: MessageReader): LogSlice {
  const tail = reader.number();
  const isComplete = reader.byte() === 1;
  const records: StoredRecord[] = [];
  for (let count = reader.integer(); count > 0; count -= 1) {
    const seq = reader.number();
    const isSnapshot = reader.byte() === 1;
    records.push({ seq, isSnapshot, bytes: reader.bytes() });
  }
  return { records, tail, isComplete, isStale: false };
}

/** Writes an answer in JSON. */
export function writeValue(writer: MessageWriter, id: number, value: unknown): void {
  writer.byte(answerKind.value);
  writer.integer(id);
  writeJson(writer, value);
}

/** Writes plain data; `Infinity` survives. */
export function writeJson(writer: MessageWriter, value: unknown): void {
  writer.text(JSON.stringify(value ?? null, withInfinity));
}

/** Reads what {@link writeJson} wrote. */
export function readValue(reader: MessageReader): unknown {
  return JSON.parse(reader.text(), fromInfinity);
}

/** Writes an error that is thrown. */
export function writeThrown(writer: MessageWriter, id: number, error: TroupeError): void {
  writer.byte(answerKind.thrown);
  writer.integer(id);
  writeError(writer, error);
}

/** Writes an error. */
export function writeError(writer: MessageWriter, error: TroupeError): void {
  writer.text(JSON.stringify(error.toValue()));
}

/** Reads an error. */
export function readError(reader: MessageReader): TroupeError {
  // Our own worker wrote it from a TroupeError.
  return TroupeError.from(JSON.parse(reader.text()) as ErrorValue);
}

const infinityMark = { infinity: true };

function withInfinity(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? infinityMark : value;
}

function fromInfinity(_key: string, value: unknown): unknown {
  const isMark = typeof value === 'object' && value !== null && 'infinity' in value;
  return isMark ? Number.POSITIVE_INFINITY : value;
}
