/**
 * What really happened in a simulated world: every agent's log, decoded from what the engine holds
 * at the end and, where history was trimmed, from what the witness saw on its way there. Records
 * are found by the hash that their successor names, so nothing can be left out or slipped in.
 */
import type { StoredRecord } from '../ports/log.ts';
import { chainHash, chainHex } from '../state/hash.ts';
import { decodeRecord, type Op, type TurnRecord } from '../state/record.ts';
import type { FinalRecord } from './check-log.ts';
import type { Violation } from './history.ts';
import type { Did } from './sim-troupe-deeds.ts';
import type { WitnessedLog } from './sim-troupe-witness.ts';

/** A record of the true history of an agent. */
export interface TrueRecord {
  readonly record: TurnRecord;
  readonly hash: string;
  readonly previous: string;
  /** Whether it gave the agent a version of its own. */
  readonly isVersioned: boolean;
  /** What its turn wrote of itself. */
  readonly did: Did | undefined;
  /** When it was seen to be stored, in the order of all that was observed. */
  order: number;
}

/** The true history of an agent. */
export interface TrueLog {
  readonly agent: string;
  readonly records: readonly TrueRecord[];
  readonly violations: readonly Violation[];
}

const nothing = '0'.repeat(32);

/** What was seen of one log before it was read. */
export interface Evidence {
  readonly log: WitnessedLog | undefined;
  /** What was seen from this place in the order on may be newer than what was read. */
  readonly before: number;
}

/** Puts a history together from the records that are kept and those that were seen. */
export function trueLog(
  agent: string,
  kept: readonly StoredRecord[],
  { log: seen, before }: Evidence,
): TrueLog {
  const violations: Violation[] = [];
  const report = (message: string) => {
    violations.push({ check: 'truth', message: `${agent}: ${message}` });
  };
  const decode = decoderOf(agent);
  const decoded = kept.map(each => decode(each.bytes));
  const oldest = decoded[0]?.previous ?? nothing;
  const attempts = new Set(oldest === nothing ? [] : seen?.attempts);
  const older = olderThan(oldest, [...attempts].map(decode));
  const first = older[0] ?? decoded[0];
  if (first !== undefined && first.previous !== nothing) {
    report(`the record before ${first.record.id} was never seen`);
  }
  const all = [...older, ...decoded];
  const records = all.map((each, place) => ({
    ...each,
    isVersioned: each.record.version > (all[place - 1]?.record.version ?? 0),
  }));
  orderBySightings(records, { seen, before, report, decode });
  return { agent, records, violations };
}

/** True histories in the form that checkers judge. */
export function finalRecordsOf({ agent, records }: TrueLog): FinalRecord[] {
  return records.map(({ record, hash, previous, isVersioned, did }) => {
    const isDeletion = record.ops.some(op => op[0] === 'delete');
    const base = {
      agent,
      hash,
      previous,
      version: isVersioned ? record.version : 0,
      epoch: record.epoch,
      writer: record.id.slice(0, record.id.indexOf('-')),
    };
    if (did !== undefined) {
      return { ...base, command: did.command, action: 'act', input: did.amount };
    }
    return isDeletion ? { ...base, action: 'delete' } : base;
  });
}

/** One kind of operation, in all logs, in order. */
export function opsOf<Kind extends Op[0]>(
  logs: readonly TrueLog[],
  kind: Kind,
): { readonly agent: string; readonly at: TrueRecord; readonly op: OpOf<Kind> }[] {
  return logs.flatMap(({ agent, records }) =>
    records.flatMap(at =>
      at.record.ops.filter((op): op is OpOf<Kind> => op[0] === kind).map(op => ({ agent, at, op })),
    ),
  );
}

type OpOf<Kind extends Op[0]> = Extract<Op, readonly [Kind, ...unknown[]]>;

type Decoded = Omit<TrueRecord, 'isVersioned'>;
type Decode = (bytes: Uint8Array) => Decoded;

/** Decodes each array of bytes once, however often it was handed around. */
function decoderOf(agent: string): Decode {
  const known = new Map<Uint8Array, Decoded>();
  return bytes => {
    const decoded = known.get(bytes) ?? decode(agent, bytes);
    known.set(bytes, decoded);
    return decoded;
  };
}

function decode(agent: string, bytes: Uint8Array): Decoded {
  const { ops, ...header } = decodeRecord(bytes, agent);
  const event = ops.find(op => op[0] === 'event');
  return {
    // An image only repeats what the records before it say, at many times their length.
    record: { ...header, ops: ops.filter(op => op[0] !== 'image') },
    hash: chainHex(chainHash(bytes)),
    previous: chainHex(header.previous),
    // The agents of this world emit this event only.
    did: event === undefined ? undefined : (event[2] as Did),
    order: Number.POSITIVE_INFINITY,
  };
}

function olderThan(hash: string, attempts: readonly Decoded[]): Decoded[] {
  const byHash = new Map(attempts.map(each => [each.hash, each]));
  const found: Decoded[] = [];
  let next = byHash.get(hash);
  while (next !== undefined) {
    found.push(next);
    next = byHash.get(next.previous);
  }
  return found.reverse();
}

interface Sightings {
  readonly seen: WitnessedLog | undefined;
  readonly before: number;
  readonly report: (message: string) => void;
  readonly decode: Decode;
}

/** A record was stored when it, or any behind it, was first seen to be. */
function orderBySightings(
  records: readonly TrueRecord[],
  { seen, before, report, decode }: Sightings,
): void {
  const byId = new Map(records.map(each => [each.record.id, each]));
  for (const { order, bytes, isConfirmation } of seen?.sightings ?? []) {
    const { id, version } = decode(bytes).record;
    const record = byId.get(id);
    if (record !== undefined) record.order = Math.min(record.order, order);
    else if (order < before) {
      const how = isConfirmation ? 'confirmed' : 'shown';
      report(`record ${id} of version ${version} was ${how} at ${order} and is gone`);
    }
  }
  let earliest = Number.POSITIVE_INFINITY;
  for (const record of records.toReversed()) {
    earliest = Math.min(earliest, record.order);
    record.order = earliest;
  }
}
