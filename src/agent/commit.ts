/**
 * Run-ahead with group commit: the head of an agent's history moves at once, what may be seen moves
 * when the engine has accepted. Whatever depends on a record that is still in flight waits for it
 * here, and fails with it.
 */
import { TroupeError } from '../core/errors.ts';
import type { Seq } from '../ports/log.ts';
import type { AgentImage, SnapshotPlace } from '../state/agent-image.ts';
import { type ChainHash, chainHash } from '../state/hash.ts';
import { applyOwnRecord, isOnlyOwned, wakeAtOf } from '../state/image.ts';
import { encodeRecord, type Op, type RecordOrigin, type TurnRecord } from '../state/record.ts';
import { sizeOf } from '../state/value-size.ts';
import { Appender, type AppenderOwner, type FailedEnd, type PendingRecord } from './appender.ts';
import type { Contract } from './contract.ts';
import type { LoadedAgent } from './fold.ts';
import type { AgentHost } from './host.ts';
import { leaseLapsed, mayAnswer } from './may-answer.ts';

/** Something that waits for records to be accepted. */
export interface Waiter {
  accepted(): void;
  /** `isUnknown` says whether the record it waited for may have been stored. */
  failed(cause: TroupeError, isUnknown: boolean): void;
}

/** A record to be made. */
export interface Commit {
  readonly ops: readonly Op[];
  /** Whether it is a turn, and so gets a version of its own. */
  readonly isTurn: boolean;
  /** The state after it. */
  readonly state: unknown;
  readonly origin?: RecordOrigin | undefined;
  readonly waiter?: Waiter | undefined;
}

/** A record in flight, with what it will change when it is accepted. */
interface PendingCommit extends PendingRecord {
  readonly state: unknown;
  readonly version: number;
  /** Who made it waits first. */
  readonly waiter: Waiter | undefined;
  /** Who came later and changed nothing. */
  others: Waiter[] | undefined;
}

/** Whose records are committed, and who is told. */
export interface CommitterOwner {
  readonly address: string;
  readonly contract: Contract;
  readonly host: AgentHost;
  /** Gives an image without a state its initial one; returns that it has to be recorded. */
  beginState(image: AgentImage): boolean;
  /** Called after each accepted append; `isFirst` says that the log began with it. */
  committed(isFirst: boolean): void;
  /** Called once, when an append was not accepted: the activation has ended. */
  commitFailed(cause: TroupeError): void;
}

/** The durable side of one activation. */
export class Committer implements AppenderOwner<PendingCommit> {
  readonly #owner: CommitterOwner;
  readonly #appender: Appender<PendingCommit>;
  readonly #image: AgentImage;
  #chain: ChainHash;
  #needsWhole: boolean;
  #acceptedState: unknown;
  #acceptedVersion: number;
  #hasRecords: boolean;
  #recordsSinceSnapshot: number;
  #bytesSinceSnapshot: number;
  /** What a snapshot would have at most: its size when last measured, and all records since. */
  #imageBytesBound: number;
  #snapshotBytes: number;
  /** Where history was cut last. */
  #trimmedBefore: Seq = 0;
  /** Snapshots whose place is known, oldest first: where history may be cut. */
  readonly #snapshots: SnapshotPlace[];
  /** To be said in the next record. */
  #newLineage: string | undefined;

  constructor(owner: CommitterOwner, loaded: LoadedAgent) {
    this.#owner = owner;
    this.#image = loaded.image;
    this.#chain = loaded.chain;
    this.#needsWhole = loaded.needsWhole;
    this.#acceptedState = loaded.image.state;
    this.#acceptedVersion = loaded.image.version;
    this.#hasRecords = loaded.tail > 0 && !isOnlyOwned(loaded.image);
    this.#imageBytesBound = loaded.snapshotBytes + loaded.bytesSinceSnapshot;
    this.#recordsSinceSnapshot = loaded.recordsSinceSnapshot;
    this.#bytesSinceSnapshot = loaded.bytesSinceSnapshot;
    this.#snapshotBytes = loaded.snapshotBytes;
    this.#snapshots = [...loaded.snapshots];
    this.#newLineage = loaded.newLineage;
    this.#appender = new Appender(this, loaded.tail, loaded.wakeAt);
  }

  get address(): string {
    return this.#owner.address;
  }

  get host(): AgentHost {
    return this.#owner.host;
  }

  /** The head: with all records that were made, accepted or not. */
  get image(): AgentImage {
    return this.#image;
  }

  /** The state that reads may see. */
  get acceptedState(): unknown {
    return this.#acceptedState;
  }

  get acceptedVersion(): number {
    return this.#acceptedVersion;
  }

  /** Whether the agent's log has begun. */
  get hasRecords(): boolean {
    return this.#hasRecords;
  }

  /** The place of the last accepted record. */
  get tail(): Seq {
    return this.#appender.tail;
  }

  /** When the agent has work of its own, by what was accepted or by what was made since. */
  get wakeAt(): number {
    return Math.min(this.#appender.wakeAt, wakeAtOf(this.#image));
  }

  /** The lineage that the next record will say, if it has to. */
  get newLineage(): string | undefined {
    return this.#newLineage;
  }

  /** How many records are in flight. */
  get pendingCount(): number {
    return this.#appender.pendingCount;
  }

  /** Whether the next change of state must be recorded whole. */
  get needsWhole(): boolean {
    return this.#needsWhole;
  }

  /**
   * Makes a record.
   *
   * @throws `PAYLOAD_TOO_LARGE` when it, or the agent with it, would be larger than is allowed;
   * nothing happened then.
   */
  commit(given: Commit): void {
    const { host } = this.#owner;
    const lineage = this.#newLineage;
    const commit: Commit =
      lineage === undefined ? given : { ...given, ops: [['lineage', lineage], ...given.ops] };
    const record = this.#record(commit);
    const bytes = encodeRecord(record);
    this.#checkSize(bytes.length);
    if (commit.isTurn) this.#checkImage(commit.state, bytes.length);
    this.#imageBytesBound += bytes.length;
    host.faultPoint('agent.record-made', 'before-durable');
    applyOwnRecord(this.#image, record, host.retention, commit.state);
    this.#newLineage = undefined;
    if (this.#needsWhole && hasWhole(commit.ops)) this.#needsWhole = false;
    if (!this.#image.hasState && commit.ops.some(op => op[0] === 'delete'))
      this.#needsWhole = this.#owner.beginState(this.#image);
    this.#push(record, bytes, false, commit.waiter);
    this.#recordsSinceSnapshot += 1;
    this.#bytesSinceSnapshot += bytes.length;
    if (this.#isSnapshotDue()) this.snapshot();
  }

  /** Calls back when everything that was committed before is accepted: at once, if it is. */
  whenAccepted(waiter: Waiter): void {
    const { last } = this.#appender;
    if (last === undefined) {
      if (mayAnswer(this.#owner.host)) waiter.accepted();
      else waiter.failed(leaseLapsed(this.address), false);
    } else if (last.others === undefined) last.others = [waiter];
    else last.others.push(waiter);
  }

  /** Records the whole image, so that reading may start there. */
  snapshot(): void {
    const image = this.#image;
    image.cuts = [...this.#snapshots];
    const record = this.#record({ ops: [['image', image]], isTurn: false, state: image.state });
    const bytes = encodeRecord(record);
    if (bytes.length > this.#recordBytesMax()) {
      this.#owner.host.logger.warn(
        'a snapshot is larger than the engine takes; the history grows',
        {
          address: this.#owner.address,
          bytes: bytes.length,
        },
      );
      this.#recordsSinceSnapshot = 0;
      return;
    }
    // A state that was never recorded is nobody's: the first turn records it whole.
    this.#needsWhole = !image.hasState;
    this.#newLineage = undefined;
    applyOwnRecord(image, record, this.#owner.host.retention, image.state);
    this.#push(record, bytes, true, undefined);
    this.#recordsSinceSnapshot = 0;
    this.#bytesSinceSnapshot = 0;
    this.#snapshotBytes = bytes.length;
    this.#imageBytesBound = bytes.length;
  }

  /** All that the next activation needs, when nothing is in flight. */
  rest(): LoadedAgent {
    return {
      image: this.#image,
      chain: this.#chain,
      tail: this.#appender.tail,
      wakeAt: this.#appender.wakeAt,
      snapshots: this.#snapshots,
      snapshotBytes: this.#snapshotBytes,
      recordsSinceSnapshot: this.#recordsSinceSnapshot,
      bytesSinceSnapshot: this.#bytesSinceSnapshot,
      needsWhole: this.#needsWhole,
      newLineage: this.#newLineage,
    };
  }

  /** Fails everything that waits; nothing is appended any more. */
  close(cause: TroupeError): void {
    fail(this.#appender.close(), cause, true);
  }

  #record(commit: Commit): TurnRecord {
    const { host, contract } = this.#owner;
    const image = this.#image;
    const isOld = this.#needsWhole && !hasWhole(commit.ops);
    return {
      id: host.nextId(),
      previous: this.#chain,
      epoch: host.epoch,
      version: commit.isTurn ? image.version + 1 : image.version,
      at: Math.max(host.clock.now(), image.at),
      stateVersion: isOld ? image.stateVersion : contract.stateVersion,
      origin: commit.origin,
      ops: commit.ops,
    };
  }

  #push(
    record: TurnRecord,
    bytes: Uint8Array,
    isSnapshot: boolean,
    waiter: Waiter | undefined,
  ): void {
    this.#chain = chainHash(bytes);
    this.#appender.push({
      id: record.id,
      bytes,
      previous: record.previous,
      isSnapshot,
      wakeAt: wakeAtOf(this.#image),
      state: this.#image.state,
      version: record.version,
      waiter,
      others: undefined,
    });
  }

  #checkSize(bytes: number): void {
    const max = this.#recordBytesMax();
    if (bytes <= max) return;
    throw new TroupeError('PAYLOAD_TOO_LARGE', {
      detail: `a record of ${this.#owner.address} has ${bytes} bytes, and at most ${max} are allowed (limits.stateBytesMax, or the engine); change less at once, or keep large values outside`,
      outcome: 'rolled-back',
    });
  }

  /** Measures the agent only when it may be too large: else the walk would cost each turn. */
  #checkImage(state: unknown, recordBytes: number): void {
    const max = this.#recordBytesMax();
    if (this.#imageBytesBound + recordBytes <= max) return;
    const image = this.#image;
    const bytes = sizeOf(image) - sizeOf(image.state) + sizeOf(state);
    if (bytes > max) {
      throw new TroupeError('PAYLOAD_TOO_LARGE', {
        detail: `${this.#owner.address} would have ${bytes} bytes with all that it keeps, and at most ${max} are allowed (limits.stateBytesMax, or the engine); keep large values outside`,
        outcome: 'rolled-back',
      });
    }
    this.#imageBytesBound = bytes;
  }

  #recordBytesMax(): number {
    const { contract, host } = this.#owner;
    return Math.min(contract.limits.stateBytesMax, host.log.capabilities.recordBytesMax);
  }

  #isSnapshotDue(): boolean {
    const every = this.#owner.contract.limits.snapshotEvery;
    if (this.#recordsSinceSnapshot < every) return false;
    return (
      this.#bytesSinceSnapshot >= this.#snapshotBytes || this.#recordsSinceSnapshot >= every * 16
    );
  }

  appended(commits: readonly PendingCommit[], seq: Seq): void {
    this.#owner.host.faultPoint('agent.accepted', 'after-durable');
    const last = commits[commits.length - 1] as PendingCommit;
    const isFirst = !this.#hasRecords;
    this.#hasRecords = true;
    this.#acceptedState = last.state;
    this.#acceptedVersion = last.version;
    for (const { waiter, others } of commits) {
      waiter?.accepted();
      if (others !== undefined) for (const other of others) other.accepted();
    }
    if (last.isSnapshot) this.#trim(seq, last.version);
    this.#owner.committed(isFirst);
  }

  appendFailed(
    commits: readonly PendingCommit[],
    behind: readonly PendingCommit[],
    { status, cause }: FailedEnd,
  ): void {
    // The activation ends first: nothing that hears of the failure may take it for still alive.
    this.#owner.commitFailed(cause);
    fail(commits, cause, status === 'unknown');
    fail(behind, cause, false);
  }

  /** Cuts history at the newest known snapshot that leaves as many versions as are to be kept. */
  #trim(seq: Seq, version: number): void {
    this.#snapshots.push({ seq, version });
    const keepFrom = version - this.#owner.contract.limits.historyVersions;
    let cut = -1;
    for (const [index, snapshot] of this.#snapshots.entries())
      if (snapshot.version <= keepFrom) cut = index;
    const before = this.#snapshots[cut]?.seq;
    if (before === undefined || before === this.#trimmedBefore) return;
    this.#trimmedBefore = before;
    this.#snapshots.splice(0, cut);
    this.#owner.host.log.trim(this.#owner.address, before).catch(error => {
      this.#owner.host.logger.warn(
        'history could not be trimmed; it is tried again at the next snapshot',
        {
          address: this.#owner.address,
          error: String(error),
        },
      );
    });
  }
}

/** Fails all who wait for records, which may have been stored if `isUnknown`. */
function fail(commits: readonly PendingCommit[], cause: TroupeError, isUnknown: boolean): void {
  for (const { waiter, others } of commits) {
    waiter?.failed(cause, isUnknown);
    for (const other of others ?? []) other.failed(cause, isUnknown);
  }
}

function hasWhole(ops: readonly Op[]): boolean {
  return ops.some(op => op[0] === 'whole' || op[0] === 'image');
}
