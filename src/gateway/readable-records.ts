/**
 * What can still be read of a damaged log, for people and programs: the bytes as they are, and the
 * turn that they stand for, if they can be understood.
 */
import { textOf } from '../core/errors.ts';
import type { StoredRecord } from '../ports/log.ts';
import { decodeRecord } from '../state/record.ts';

/** A record of a damaged log. */
export interface ReadableRecord {
  readonly seq: number;
  readonly isSnapshot: boolean;
  readonly bytes: Uint8Array;
  /** The turn record; absent when the bytes are whole but make no sense. */
  readonly turn?: unknown;
  /** Why there is no turn. */
  readonly complaint?: string;
}

/** The records of an agent's log, oldest first. */
export function* readableRecords(
  address: string,
  records: readonly StoredRecord[],
): Generator<ReadableRecord> {
  for (const { seq, isSnapshot, bytes } of records) {
    yield { seq, isSnapshot, bytes, ...turnOf(`${address} at ${seq}`, bytes) };
  }
}

function turnOf(place: string, bytes: Uint8Array): Pick<ReadableRecord, 'turn' | 'complaint'> {
  try {
    return { turn: decodeRecord(bytes, place) };
  } catch (error) {
    return { complaint: textOf(error) };
  }
}
