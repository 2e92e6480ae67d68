/**
 * Going through the entries of a bucket, message by message, as the leader has them: the last
 * change of each key from a place on.
 */
import { TroupeError } from '../../core/errors.ts';
import type { KeyValueChange } from '../../ports/key-value.ts';
import { bucketStream, keyOfSubject, patternOfPrefix } from './key-subject.ts';
import { changeIn } from './key-value-entry.ts';
import { leaderRecord, type RecordParts } from './leader-record.ts';

/** Which entries, and from which place on. */
export interface ScannedKeys {
  readonly bucket: string;
  /** What the keys begin with. */
  readonly prefix: string;
  readonly seq: number;
  /** Told how far it came, after each message. */
  readonly onSeq?: ((seq: number) => void) | undefined;
}

/** So many messages are gone through at most. */
const messagesMax = 200_000;

/**
 * The last changes, by key, those of keys that changed last at the end.
 *
 * @throws `ENGINE_UNAVAILABLE`, `UNAUTHORIZED`, `LOG_CORRUPT`; `OVERLOADED` for too many messages.
 */
export async function changesFrom(
  parts: RecordParts,
  { bucket, prefix, seq, onSeq }: ScannedKeys,
): Promise<Map<string, KeyValueChange>> {
  const changes = new Map<string, KeyValueChange>();
  const pattern = patternOfPrefix(bucket, prefix);
  let nextSeq = seq;
  for (let count = 0; count < messagesMax; count++) {
    const query = { seq: nextSeq, next_by_subj: pattern };
    const record = await leaderRecord(parts, bucketStream(bucket), query);
    if (record === undefined) return changes;
    nextSeq = record.seq + 1;
    onSeq?.(record.seq);
    const key = keyOfSubject(bucket, record.subject);
    if (key?.startsWith(prefix) !== true) continue;
    changes.delete(key);
    changes.set(key, changeIn(record, key));
  }
  throw new TroupeError('OVERLOADED', {
    detail: `${bucket} has more than ${messagesMax} messages for keys that begin with ${prefix}`,
    outcome: 'not-executed',
  });
}
