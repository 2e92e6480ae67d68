/**
 * From a log to an agent: reads the newest snapshot and all behind it, makes sure that this is the
 * end of the log, and brings an older state to today's schema. A state is never written here, so a
 * failed upgrade loses nothing.
 */
import type { ErrorCode } from '../core/error-codes.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { equalValues } from '../core/value-equality.ts';
import { copyValue } from '../core/values.ts';
import type { Log, Seq, StoredRecord } from '../ports/log.ts';
import type { AgentImage } from '../state/agent-image.ts';
import { beginLineage, emptyImage } from '../state/image.ts';
import type { Contract } from './contract.ts';
import { type LogFloor, provenFold, regressed } from './first-append.ts';
import { Fold, type LoadedAgent } from './fold.ts';
import type { AgentHost } from './host.ts';
import type { Implementation } from './implementation.ts';
import { parseWith } from './schema.ts';

/**
 * Loads an agent. `floor` is what is known of its log.
 *
 * @throws `LOG_CORRUPT` (a damaged chain), `STATE_MISMATCH` (a state that cannot be brought to the
 * schema), `LOG_REGRESSED` (less is left than was acknowledged), `STALE_EPOCH`, and what the log
 * throws.
 */
export async function loadAgent(
  host: AgentHost,
  implementation: Implementation,
  key: string,
  floor: LogFloor,
): Promise<LoadedAgent> {
  const { contract } = implementation;
  const address = `${contract.type}/${key}`;
  const read = () => readFold(host, contract, address);
  const { hasLinearizableReads } = host.log.capabilities;
  const fold = await (hasLinearizableReads
    ? read()
    : provenFold({ host, contract, address, floor, read }));
  if (fold.image.version < floor.version) throw regressed(address, fold, floor);
  const newLineage = lineageAfter(fold, host);
  if (newLineage !== undefined) beginLineage(fold.image, newLineage);
  const needsWhole = adoptState(fold.image, implementation, key);
  return { ...fold.finish(needsWhole), newLineage };
}

async function readFold(host: AgentHost, contract: Contract, address: string): Promise<Fold> {
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
  return fold;
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
