/**
 * The first append of an agent under an epoch. On engines whose reads may be old nothing leaves an
 * activation before an append on the tail that it read was accepted: only that proves that the tail
 * is the end, and from then on nobody who wrote before can write again. So an agent is loaded with
 * one record of its owner behind it, unless this node has made one in this epoch and knows how far
 * the log reached when the agent left memory.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Seq } from '../ports/log.ts';
import { encodeRecord, type Op, type TurnRecord } from '../state/record.ts';
import { type AppendEnd, Appender, type PendingRecord } from './appender.ts';
import type { Contract } from './contract.ts';
import { withOutcome } from './failure.ts';
import type { Fold } from './fold.ts';
import type { AgentHost } from './host.ts';

/** What is known of a log before it is read. */
export interface LogFloor {
  /** The highest version that was acknowledged here. */
  readonly version: number;
  /**
   * Where the log ended when the agent left memory in peace, after an accepted append of this node
   * in this epoch. Nothing when it never did, or when an append of it was left open.
   */
  readonly tail?: Seq | undefined;
}

/** Whose log is read, and how. */
export interface ProvenRead {
  readonly host: AgentHost;
  readonly contract: Contract;
  readonly address: string;
  readonly floor: LogFloor;
  /** Reads the log from its newest snapshot on. */
  read(): Promise<Fold>;
}

/** A leader that was cut off was seen to answer with what it had for up to 11 s. */
const staleMsMax = 15_000;
const pauseMsMin = 20;
const pauseMsMax = 1_000;

/**
 * Reads a log until it is sure that its end was seen.
 *
 * @throws `LOG_REGRESSED` when the log stays behind what was acknowledged; `STALE_EPOCH` when
 * another node has written under a later epoch; `VERSION_CONFLICT` when others go on writing; and
 * what the log says.
 */
export async function provenFold(parts: ProvenRead): Promise<Fold> {
  const { host, address, floor } = parts;
  const startedMs = host.clock.monotonic();
  for (let attempt = 0; ; attempt += 1) {
    const fold = await parts.read();
    refuseLaterEpoch(host, address, fold);
    const isBehind = fold.image.version < floor.version;
    if (!isBehind && (isKnown(fold, floor) || (await isClaimed(parts, fold)))) return fold;
    if (host.clock.monotonic() - startedMs >= staleMsMax) {
      throw isBehind ? regressed(address, fold, floor) : contended(address);
    }
    await pause(host.clock, Math.min(pauseMsMin * 2 ** Math.min(attempt, 10), pauseMsMax));
  }
}

/** The error of a log that lost its end. */
export function regressed(address: string, { image }: Fold, { version }: LogFloor): TroupeError {
  return new TroupeError('LOG_REGRESSED', {
    detail: `${address} ends at version ${image.version}, but version ${version} was acknowledged; restore a backup`,
  });
}

/** Since the last accepted append in this epoch nobody but this node can have written. */
function isKnown(fold: Fold, { tail }: LogFloor): boolean {
  return tail !== undefined && fold.isComplete && fold.tail >= tail;
}

/** Appends the record of the owner; false when the log did not end where it was read to end. */
async function isClaimed({ host, contract, address }: ProvenRead, fold: Fold): Promise<boolean> {
  const { record, bytes, isSnapshot } = ownerRecord(host, contract, fold);
  const { id, previous } = record;
  const { wakeAt, tail } = fold;
  const pending: PendingRecord = { id, bytes, previous, isSnapshot, wakeAt };
  const end = await appended({ host, address, tail, pending });
  if (end.status === 'accepted') {
    fold.add({ seq: end.seq, bytes, isSnapshot });
    return true;
  }
  if (end.cause.code === 'VERSION_CONFLICT') return false;
  // Nothing of what waits for the agent was begun.
  throw withOutcome(end.cause, 'not-executed');
}

interface OwnerRecord {
  readonly record: TurnRecord;
  readonly bytes: Uint8Array;
  readonly isSnapshot: boolean;
}

/** An agent that is only read would grow by its owners, so their record is a snapshot at times. */
function ownerRecord(host: AgentHost, contract: Contract, fold: Fold): OwnerRecord {
  const owner: Op = ['owner', host.incarnation];
  if (fold.isSnapshotDue(contract.limits.snapshotEvery)) {
    const { image } = fold;
    const cuts = [...fold.snapshots];
    const record = recordOf(host, fold, [owner, ['image', { ...image, cuts }]]);
    const bytes = encodeRecord(record);
    const { recordBytesMax } = host.log.capabilities;
    const isFitting = bytes.length <= Math.min(contract.limits.stateBytesMax, recordBytesMax);
    if (isFitting) return { record, bytes, isSnapshot: true };
  }
  const record = recordOf(host, fold, [owner]);
  return { record, bytes: encodeRecord(record), isSnapshot: false };
}

function recordOf(host: AgentHost, { chain, image }: Fold, ops: readonly Op[]): TurnRecord {
  return {
    id: host.nextId(),
    previous: chain,
    epoch: host.epoch,
    version: image.version,
    at: Math.max(host.clock.now(), image.at),
    stateVersion: image.stateVersion,
    origin: undefined,
    ops,
  };
}

interface SingleAppend {
  readonly host: AgentHost;
  readonly address: string;
  readonly tail: Seq;
  readonly pending: PendingRecord;
}

/** Appends one record, and learns what became of it as of any other. */
function appended({ host, address, tail, pending }: SingleAppend): Promise<AppendEnd> {
  return new Promise(resolve => {
    const appender = new Appender<PendingRecord>(
      {
        address,
        host,
        appended: (_records, seq) => resolve({ status: 'accepted', seq }),
        appendFailed: (_records, _behind, end) => resolve(end),
      },
      tail,
      pending.wakeAt,
    );
    appender.push(pending);
  });
}

function refuseLaterEpoch({ epoch }: AgentHost, address: string, { image }: Fold): void {
  if (image.epoch <= epoch) return;
  throw new TroupeError('STALE_EPOCH', {
    detail: `${address} was written under epoch ${image.epoch}, and this node has epoch ${epoch}: another node has taken it over`,
    outcome: 'not-executed',
  });
}

function contended(address: string): TroupeError {
  return new TroupeError('VERSION_CONFLICT', {
    detail: `${address} does not end where it is read to end: others write it, or the servers do not agree about it`,
    outcome: 'not-executed',
  });
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    clock.setTimer(delayMs, resolve);
  });
}
