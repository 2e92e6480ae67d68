/**
 * The record: all that one turn (or another durable act) of an agent decided, as one entry of its
 * log. A record is a header and a list of operations; folding the operations of all records, in
 * order, gives the agent's image. Format 1; a published format is never edited.
 */
import type { TraceContext } from '../core/envelope.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import type { AgentImage } from './agent-image.ts';
import { decodeValue, encodeParts, type PartWriter } from './codec.ts';
import type {
  DeadLetter,
  InboxEntry,
  OutboxEntry,
  SignalEntry,
  StoredReply,
  TimerEntry,
} from './entries.ts';
import type { ChainHash } from './hash.ts';
import type { Patch } from './patch.ts';
import type { Effect, RunStart } from './runs.ts';

/** The version of the record format that this code writes. */
export const recordFormat = 1;

/** One thing that a record decides. Tuples, because they are compact and quick to encode. */
export type Op =
  | readonly ['state', change: Patch]
  | readonly ['whole', state: unknown]
  | readonly ['event', name: string, data: unknown]
  | readonly [
      'consume',
      sender: string,
      lane: number,
      number: number,
      floor: number,
      reply: StoredReply | null,
    ]
  | readonly ['key', key: string, fingerprint: string, reply: StoredReply | null]
  | readonly ['send', entry: OutboxEntry]
  | readonly ['sent', ids: readonly string[]]
  | readonly ['timer', id: string, entry: TimerEntry]
  | readonly ['untimer', id: string]
  | readonly ['inbox', entry: InboxEntry]
  | readonly ['uninbox', id: string]
  | readonly ['dead', letter: DeadLetter]
  | readonly ['undead', id: string]
  | readonly ['run', start: RunStart]
  | readonly ['effect', runId: string, identity: string, effect: Effect]
  | readonly ['chunk', runId: string, chunk: unknown, kept: number]
  | readonly ['ended', runId: string, reply: StoredReply]
  | readonly ['signal', entry: SignalEntry]
  | readonly ['unsignal', id: string]
  | readonly ['delete']
  | readonly ['lineage', lineage: string]
  | readonly ['owner', incarnation: string]
  | readonly ['image', image: AgentImage];

/** Which message led to a record: kept for history, traces and audits. */
export interface RecordOrigin {
  readonly messageId: string;
  readonly action: string;
  readonly caller?: string | undefined;
  readonly correlationId: string;
  readonly trace?: TraceContext | undefined;
}

/** One entry of an agent's log. */
export interface TurnRecord {
  /** Unique; a writer that does not know whether its append was stored looks for it. */
  readonly id: string;
  /** The hash of the record before, or {@link emptyChain}: the agent's chain. */
  readonly previous: ChainHash;
  readonly epoch: number;
  /** The agent's version after this record: one more than before if it is a turn. */
  readonly version: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** The version of the state's schema that wrote it. */
  readonly stateVersion: number;
  readonly origin: RecordOrigin | undefined;
  readonly ops: readonly Op[];
}

/** The bytes of a record, which share memory with those of others. */
export function encodeRecord(record: TurnRecord): Uint8Array {
  return encodeParts(writeRecord, record);
}

/** Writes the tuple by hand, as every turn makes one. */
function writeRecord(writer: PartWriter, record: TurnRecord): void {
  const { origin } = record;
  writer.list(9);
  writer.value(recordFormat);
  writer.value(record.id);
  writer.latin1(record.previous);
  writer.value(record.epoch);
  writer.value(record.version);
  writer.value(record.at);
  writer.value(record.stateVersion);
  if (origin === undefined) writer.value(null);
  else writeOrigin(writer, origin);
  writer.value(record.ops);
}

/**
 * The record of some bytes.
 *
 * @throws `LOG_CORRUPT` when they are none, `ENGINE_UNSUPPORTED` when their format is newer.
 */
export function decodeRecord(bytes: Uint8Array, place: string): TurnRecord {
  const fields = decodeFields(bytes, place);
  const format = fields[0];
  if (typeof format === 'number' && format > recordFormat) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `${place} has record format ${format}, and this code reads up to ${recordFormat}; start a newer version`,
    });
  }
  const [, id, previous, epoch, version, at, stateVersion, origin, ops] = fields;
  if (format !== recordFormat || !(previous instanceof Uint8Array) || !Array.isArray(ops)) {
    throw new TroupeError('LOG_CORRUPT', {
      detail: `${place} holds something that is not a record`,
    });
  }
  return {
    id: id as string,
    previous: latin1Of(previous),
    epoch: epoch as number,
    version: version as number,
    at: at as number,
    stateVersion: stateVersion as number,
    origin: origin === null ? undefined : decodeOrigin(origin as EncodedOrigin),
    ops: ops as Op[],
  };
}

type EncodedOrigin = readonly [
  string,
  string,
  string | null,
  string,
  ...([string, string, boolean] | []),
];

function writeOrigin(writer: PartWriter, origin: RecordOrigin): void {
  const { trace } = origin;
  writer.list(trace === undefined ? 4 : 7);
  writer.value(origin.messageId);
  writer.value(origin.action);
  writer.value(origin.caller ?? null);
  writer.value(origin.correlationId);
  if (trace === undefined) return;
  writer.value(trace.traceId);
  writer.value(trace.spanId);
  writer.value(trace.isSampled);
}

function decodeOrigin(encoded: EncodedOrigin): RecordOrigin {
  const [messageId, action, caller, correlationId, traceId, spanId, isSampled] = encoded;
  const trace =
    traceId === undefined || spanId === undefined
      ? undefined
      : { traceId, spanId, isSampled: isSampled === true };
  return { messageId, action, caller: caller ?? undefined, correlationId, trace };
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function decodeFields(bytes: Uint8Array, place: string): readonly unknown[] {
  try {
    const fields = decodeValue(bytes);
    if (Array.isArray(fields)) return fields;
  } catch (error) {
    throw new TroupeError('LOG_CORRUPT', {
      detail: `${place} cannot be decoded: ${textOf(error)}`,
      cause: error,
    });
  }
  throw new TroupeError('LOG_CORRUPT', { detail: `${place} holds something that is not a record` });
}
