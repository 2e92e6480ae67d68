/**
 * From a log to an agent: reads the newest snapshot and all behind it, checks the chain, folds, and
 * brings an older state to today's schema. Nothing is written here, so a failed upgrade loses
 * nothing.
 */
import type { ErrorCode } from '../core/error-codes.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { equalValues } from '../core/value-equality.ts';
import { copyValue } from '../core/values.ts';
import type { Log, LogSlice, Seq, StoredRecord } from '../ports/log.ts';
import type { AgentImage, SnapshotPlace } from '../state/agent-image.ts';
import type { Retention } from '../state/entries.ts';
import { type ChainHash, chainHash, emptyChain } from '../state/hash.ts';
import { applyRecord, beginLineage, emptyImage, wakeAtOf } from '../state/image.ts';
import { decodeRecord, type TurnRecord } from '../state/record.ts';
import type { Contract } from './contract.ts';
import type { AgentHost } from './host.ts';
import type { Implementation } from './implementation.ts';
import { parseWith } from './schema.ts';

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

/**
 * Loads an agent.
 *
 * @throws `LOG_CORRUPT` (a damaged chain), `STATE_MISMATCH` (a state that cannot be brought to the
 * schema), `LOG_REGRESSED` (less than `versionSeen` is left), and what the log throws.
 */
export async function loadAgent(
  host: AgentHost,
  implementation: Implementation,
  key: string,
  versionSeen: number,
): Promise<LoadedAgent> {
  const { contract } = implementation;
  const address = `${contract.type}/${key}`;
  const fold = new Fold(address, emptyImage('', host.epoch, contract.stateVersion), host.retention);
  try {
    let slice = await host.log.readLatest(address);
    fold.addAll(slice);
    while (!slice.isComplete) {
      slice = await host.log.read(address, { after: fold.tail });
      if (slice.records.length === 0 && !slice.isComplete) break;
      fold.addAll(slice);
    }
  } catch (error) {
    throw withWayBack(error, address);
  }
  if (fold.image.version < versionSeen) {
    throw new TroupeError('LOG_REGRESSED', {
      detail: `${address} ends at version ${fold.image.version}, but version ${versionSeen} was acknowledged; restore a backup`,
    });
  }
  const newLineage = lineageAfter(fold, host);
  if (newLineage !== undefined) beginLineage(fold.image, newLineage);
  const needsWhole = adoptState(fold.image, implementation, key);
  return { ...fold.finish(needsWhole), newLineage };
}

/** Damage is told with the agent that suffers it, and with what an operator can do. */
function withWayBack(error: unknown, address: string): unknown {
  if (!TroupeError.is(error) || error.code !== 'LOG_CORRUPT') return error;
  return new TroupeError('LOG_CORRUPT', {
    detail: `${address} is not served: ${error.detail}; see with \`troupe agents repair ${address}\` what can be saved, or restore a backup`,
    data: error.data,
    cause: error,
  });
}

/**
 * The lineage that has to begin: after a repair that cut the log, because its numbers may be known
 * to receivers, and in data that were restored, because those that came after the backup may be.
 */
function lineageAfter(fold: Fold, host: AgentHost): string | undefined {
  const { lineage } = fold.image;
  if (fold.isCut) return `${host.lineage}.${host.nextId()}`;
  const isOurs = lineage === host.lineage || lineage.startsWith(`${host.lineage}.`);
  return lineage === '' || isOurs ? undefined : host.lineage;
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
    if (!slice.isComplete) return;
    // After a repair that cut the log the tail is a mark, which is no record.
    this.#isCut = this.#tail !== slice.tail;
    this.#tail = slice.tail;
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
      wakeAt: this.#wakeAt,
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
  get #wakeAt(): number {
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

/**
 * Gives an image a state that fits today's schema: the initial one, the stored one, or the stored
 * one migrated. Returns whether that state still has to be recorded.
 */
export function adoptState(
  image: AgentImage,
  implementation: Implementation,
  key: string,
): boolean {
  const { contract } = implementation;
  if (!image.hasState) {
    image.state = initialState(contract, key);
    image.stateVersion = contract.stateVersion;
    return true;
  }
  const place = `${contract.type}/${key} v${image.version}`;
  if (image.stateVersion > contract.stateVersion) {
    throw mismatch(
      `${place} was written by state version ${image.stateVersion}, this code has ${contract.stateVersion}; start the newer code`,
    );
  }
  const isOld = image.stateVersion < contract.stateVersion;
  const candidate = isOld ? migrated(image, implementation, place) : image.state;
  const state = parsed(contract, candidate, place);
  if (!isOld && equalValues(state, image.state)) return false;
  image.state = copyValue(state, place);
  return true;
}

/** The state that an agent begins with. */
export function initialState(contract: Contract, key: string): unknown {
  const place = `${contract.type}/${key}: the initial state`;
  const seed = contract.initial === undefined ? {} : contract.initial(key);
  return copyValue(parseWith(contract.state, seed, place, 'STATE_MISMATCH'), place);
}

function migrated(image: AgentImage, implementation: Implementation, place: string): unknown {
  if (implementation.migrate === undefined) return image.state;
  try {
    return implementation.migrate(copyValue(image.state, place), image.stateVersion);
  } catch (error) {
    throw mismatch(
      `${place}: migrate from state version ${image.stateVersion} threw: ${textOf(error)}`,
      error,
    );
  }
}

function parsed(contract: Contract, state: unknown, place: string): unknown {
  const code: ErrorCode = 'STATE_MISMATCH';
  try {
    return parseWith(contract.state, state, place, code);
  } catch (error) {
    throw mismatch(
      `${TroupeError.is(error) ? error.detail : textOf(error)}; raise stateVersion and let migrate(old, from) of implement('${contract.type}') make it fit, or start the older code: nothing was overwritten`,
      error,
    );
  }
}

function mismatch(detail: string, cause?: unknown): TroupeError {
  return new TroupeError('STATE_MISMATCH', { detail, cause });
}

/** Reads a whole log, oldest first, in slices. */
export async function* readAll(log: Log, name: string, after: Seq): AsyncGenerator<StoredRecord> {
  let place = after;
  while (true) {
    const slice = await log.read(name, { after: place });
    yield* slice.records;
    const last = slice.records[slice.records.length - 1];
    if (slice.isComplete || last === undefined) return;
    place = last.seq;
  }
}
