/**
 * What a cluster is, in one document that is written once: by whoever comes first. Everything in it
 * is fixed for the life of the cluster's data, because names, places and numbers follow from it.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyValue } from '../ports/key-value.ts';
import { type DocumentFields, decodeDocument, encodeDocument } from './document.ts';
import { pause } from './lease-time.ts';

/** What is fixed about a cluster. */
export interface ClusterDocument {
  /** Names the history that the data belong to. */
  readonly lineage: string;
  readonly shardCount: number;
  /** Over how many streams the shards are spread. */
  readonly streamCount: number;
  /** Whether it is being filled from a backup, and is not to be served before all is there. */
  readonly isFilling?: true | undefined;
}

/** How the document is found or made. */
export interface ClusterDocumentOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  /** What is written when there is none. */
  readonly proposed: ClusterDocument;
}

/** The key under which it stands. */
export const clusterKey = 'cluster';

/** What a cluster has that is made now. */
export const clusterDefaults: Omit<ClusterDocument, 'lineage'> = {
  shardCount: 256,
  streamCount: 16,
};

const attemptsMax = 40;
const pauseMs = 250;

/**
 * The document of a cluster, which is made when there is none. One that is being filled is given
 * only to whoever would fill it.
 *
 * @throws `ENGINE_UNSUPPORTED` when it is of a later format, `LOG_CORRUPT` when it is none, and
 * what the engine says when it does not recover.
 */
export async function ensureClusterDocument({
  keyValue,
  clock,
  proposed,
}: ClusterDocumentOptions): Promise<ClusterDocument> {
  const bytes = encodeDocument({ ...proposed });
  for (let attempt = 1; ; attempt++) {
    const found = await readClusterDocument(keyValue);
    if (found !== undefined) {
      if (found.isFilling === true && proposed.isFilling !== true) throw unfinished();
      return found;
    }
    const isMade = await isCreated(keyValue, bytes, attempt);
    if (isMade) return proposed;
    await pause(clock, pauseMs);
  }
}

/**
 * The document of a cluster, if there is one.
 *
 * @throws as {@link ensureClusterDocument}.
 */
export async function readClusterDocument(
  keyValue: Pick<KeyValue, 'get'>,
): Promise<ClusterDocument | undefined> {
  const found = await keyValue.get(clusterKey);
  return found && documentOf(decodeDocument(clusterKey, found.value));
}

/** Whoever loses the race, or the answer, finds the document with one of the next reads. */
async function isCreated(keyValue: KeyValue, bytes: Uint8Array, attempt: number): Promise<boolean> {
  try {
    const { status } = await keyValue.create(clusterKey, bytes);
    if (status === 'accepted') return true;
  } catch (error) {
    if (!TroupeError.is(error) || error.outcome !== 'unknown' || attempt >= attemptsMax)
      throw error;
    return false;
  }
  if (attempt < attemptsMax) return false;
  throw new TroupeError('ENGINE_UNAVAILABLE', {
    detail: 'the document of the cluster is there and cannot be read: the servers do not agree',
    outcome: 'not-executed',
  });
}

function documentOf(fields: DocumentFields): ClusterDocument {
  const { lineage, shardCount, streamCount } = fields;
  const isWhole =
    typeof lineage === 'string' &&
    typeof shardCount === 'number' &&
    typeof streamCount === 'number';
  const filling = fields.isFilling === true ? { isFilling: true as const } : {};
  if (isWhole) return { lineage, shardCount, streamCount, ...filling };
  throw new TroupeError('LOG_CORRUPT', {
    detail: `what stands under ${clusterKey} does not say what the cluster is`,
  });
}

function unfinished(): TroupeError {
  return new TroupeError('CONFIG_INVALID', {
    detail:
      'the cluster is being filled from a backup, or that was cut off: let `troupe restore` of the same backup come to its end, or name another cluster (`cluster.name`)',
  });
}
