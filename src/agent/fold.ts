/**
 * The fold over a log: records are checked against the chain and applied in order, whether an agent
 * is brought into memory, looked at as it was, or compared with what lives.
 */
import { TroupeError } from '../core/errors.ts';
import type { LogSlice, Seq, StoredRecord } from '../ports/log.ts';
import type { AgentImage, SnapshotPlace } from '../state/agent-image.ts';
import type { Retention } from '../state/entries.ts';
import { type ChainHash, chainHash, emptyChain } from '../state/hash.ts';
import { applyRecord, wakeAtOf } from '../state/image.ts';
import { decodeRecord, type TurnRecord } from '../state/record.ts';

/** An agent as it was found. */
export interface LoadedAgent {
  readonly image: AgentImage;
  /** The hash of the last record. */
  readonly chain: ChainHash;
  readonly tail: Seq;
  readonly wakeAt: number;
  /** Snapshots whose place is known, oldest first. */
  readonly snapshots: readonly SnapshotPlace[];
  readonly snapshotBytes: number;
  readonly recordsSinceSnapshot: number;
  readonly bytesSinceSnapshot: number;
  /** Whether the state is not in the log as it stands here. */
  readonly needsWhole: boolean;
  /** The lineage that the image has begun, when the log does not say so yet. */
  readonly newLineage?: string | undefined;
}

/** Checks and applies records in order. */
export class Fold {
  readonly image: AgentImage;
  readonly #address: string;
  readonly #retention: Retention;
  #chain: ChainHash = emptyChain;
  #tail: Seq = 0;
  #count = 0;
  #bytes = 0;
  #snapshots: readonly SnapshotPlace[] = [];
  #snapshotBytes = 0;
  #isFirst = true;
  #isCut = false;
  #isComplete = false;

  constructor(address: string, image: AgentImage, retention: Retention) {
    this.#address = address;
    this.image = image;
    this.#retention = retention;
  }

  /** The place behind which the next record goes. */
  get tail(): Seq {
    return this.#tail;
  }

  /** Applies the records of a slice. */
  addAll(slice: LogSlice): void {
    for (const stored of slice.records) this.add(stored);
    this.#isComplete = slice.isComplete;
    if (!slice.isComplete) return;
    // After a repair that cut the log the tail is a mark, which is no record.
    this.#isCut = this.#tail !== slice.tail;
    this.#tail = slice.tail;
  }

  /** Whether the last slice reached the tail, as it was when that was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The hash of the last record. */
  get chain(): ChainHash {
    return this.#chain;
  }

  /** The places of snapshots that are known, oldest first. */
  get snapshots(): readonly SnapshotPlace[] {
    return this.#snapshots;
  }

  /** Whether so many records lie behind the newest snapshot that another pays. */
  isSnapshotDue(every: number): boolean {
    if (this.#count < every) return false;
    return this.#bytes >= this.#snapshotBytes || this.#count >= every * 16;
  }

  /** Whether a repair took records off the end, and none was made since. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Applies one record and returns it. */
  add(stored: StoredRecord): TurnRecord {
    const place = `${this.#address} at ${stored.seq}`;
    const record = decodeRecord(stored.bytes, place);
    this.#checkChain(record, stored, place);
    applyRecord(this.image, record, this.#retention);
    this.#chain = chainHash(stored.bytes);
    this.#tail = stored.seq;
    if (stored.isSnapshot) {
      this.#snapshots = [...(this.image.cuts ?? []), { seq: stored.seq, version: record.version }];
      this.#snapshotBytes = stored.bytes.length;
      this.#count = 0;
      this.#bytes = 0;
    } else {
      this.#count += 1;
      this.#bytes += stored.bytes.length;
    }
    return record;
  }

  /** What was found. */
  finish(needsWhole: boolean): LoadedAgent {
    return {
      image: this.image,
      chain: this.#chain,
      tail: this.#tail,
      wakeAt: this.wakeAt,
      snapshots: this.#snapshots,
      snapshotBytes: this.#snapshotBytes,
      recordsSinceSnapshot: this.#count,
      bytesSinceSnapshot: this.#bytes,
      needsWhole,
    };
  }

  /**
   * What the log knows: a repair has it say "at once", so that nothing that is due is forgotten.
   */
  get wakeAt(): number {
    if (this.#isCut) return 0;
    return this.#tail === 0 ? Number.POSITIVE_INFINITY : wakeAtOf(this.image);
  }

  #checkChain(record: TurnRecord, stored: StoredRecord, place: string): void {
    const expected = this.#isFirst && stored.isSnapshot ? record.previous : this.#chain;
    this.#isFirst = false;
    if (record.previous !== expected) {
      throw new TroupeError('LOG_CORRUPT', {
        detail: `${place} does not follow the record before it (its hash differs)`,
      });
    }
  }
}
