/**
 * Which node has the shards of a cluster, and under which epoch: one document, changed by compare-
 * and-set only. Whoever takes the shards raises the epoch, also when it had them before: what an
 * earlier life still has on its way is then told from what comes later.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyValue, KeyValueEntry, KeyValueResult } from '../ports/key-value.ts';
import { type DocumentFields, decodeDocument, encodeDocument } from './document.ts';
import { pause } from './lease-time.ts';

/** Who has the shards. */
export interface Placement {
  readonly epoch: number;
  /** The id of the node. */
  readonly node: string;
  /** Which start of it. */
  readonly holder: string;
}

/** Who takes the shards. */
export interface TakeShardsOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly node: string;
  readonly holder: string;
  /**
   * Makes sure that another node that has them does not serve any more, or throws. It may be
   * called again for the same node.
   */
  readonly ended: (node: string) => Promise<void>;
  /** An epoch that may have been in use, although this cluster does not know of it. */
  readonly epochAtLeast?: number | undefined;
}

/** The key under which it stands. */
export const placementKey = 'placement';

const attemptsMax = 40;
const pauseMs = 250;

/**
 * Takes all shards under a new epoch.
 *
 * @throws what `ended` and the engine say; `LOG_CORRUPT` and `ENGINE_UNSUPPORTED` for a document
 * that cannot be read; `ENGINE_UNAVAILABLE` when others go on changing it.
 */
export async function takeShards(options: TakeShardsOptions): Promise<Placement> {
  const { keyValue, clock, node, holder, ended, epochAtLeast = 0 } = options;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if (attempt > 1) await pause(clock, pauseMs);
    const entry = await keyValue.get(placementKey);
    const before = entry && placementOf(entry);
    // An attempt without an answer may have landed.
    if (before?.holder === holder) return before;
    if (before !== undefined && before.node !== node) await ended(before.node);
    const epoch = Math.max(before?.epoch ?? 0, epochAtLeast) + 1;
    const taken: Placement = { epoch, node, holder };
    if (await isWritten(keyValue, entry, encodeDocument({ ...taken }))) return taken;
  }
  throw new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${placementKey} changes while ${node} takes the shards, or the servers do not agree about it`,
    outcome: 'not-executed',
  });
}

/**
 * Who has the shards, if anybody ever had.
 *
 * @throws `LOG_CORRUPT`, `ENGINE_UNSUPPORTED`, and what the engine says.
 */
export async function readPlacement(
  keyValue: Pick<KeyValue, 'get'>,
): Promise<Placement | undefined> {
  const entry = await keyValue.get(placementKey);
  return entry && placementOf(entry);
}

async function isWritten(
  keyValue: KeyValue,
  entry: KeyValueEntry | undefined,
  bytes: Uint8Array,
): Promise<boolean> {
  const writing: Promise<KeyValueResult> =
    entry === undefined
      ? keyValue.create(placementKey, bytes)
      : keyValue.compareAndSet(placementKey, bytes, entry.revision);
  try {
    return (await writing).status === 'accepted';
  } catch (error) {
    // Whether it was stored, the next read tells.
    if (TroupeError.is(error) && error.outcome === 'unknown') return false;
    throw error;
  }
}

function placementOf({ value }: KeyValueEntry): Placement {
  const { epoch, node, holder }: DocumentFields = decodeDocument(placementKey, value);
  const isWhole =
    typeof epoch === 'number' && typeof node === 'string' && typeof holder === 'string';
  if (isWhole) return { epoch, node, holder };
  throw new TroupeError('LOG_CORRUPT', {
    detail: `what stands under ${placementKey} does not say who has the shards`,
  });
}
