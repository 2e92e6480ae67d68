/** What waits to be committed: appends and marks, each with who wants to know what became of it. */
import type { AppendResult, NewRecord, Seq } from '../../ports/log.ts';
import { recordBytes, recordKind } from './frame.ts';

/** One thing to commit, as a whole or not at all. */
export interface Work {
  readonly kind: number;
  /** The row of the log in the index; -1 for a mark about the store. */
  readonly row: number;
  readonly name: Uint8Array;
  /** Of an append the tail it expects; of a mark what it names. */
  readonly previous: Seq;
  readonly records: readonly NewRecord[];
  /** What the last record carries as its `extra`. */
  readonly extra: number | undefined;
  /** The bytes it will take on the disk. */
  readonly byteLength: number;
  readonly settle: (result: AppendResult) => void;
}

/** An append. */
export function appendWork(parts: Omit<Work, 'kind' | 'byteLength'>): Work {
  const nameLength = parts.name.length;
  let byteLength = 0;
  for (const { bytes } of parts.records) byteLength += recordBytes(nameLength, bytes.length);
  return { kind: recordKind.data, byteLength, ...parts };
}

/** A mark: one record of another kind, without a body. */
export function markWork(parts: Omit<Work, 'records' | 'byteLength'>): Work {
  return { ...parts, records: [emptyRecord], byteLength: recordBytes(parts.name.length, 0) };
}

const emptyRecord: NewRecord = { bytes: new Uint8Array(0) };
