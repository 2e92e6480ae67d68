/**
 * From messages to the records of a log. Each message names the one it was appended behind, so a
 * message that an unsound server took beside the log's own is told and left out.
 */
import type { LogSlice, Seq, StoredRecord } from '../../ports/log.ts';
import {
  decodeFrame,
  type Frame,
  type FrameRecord,
  lastSeqOf,
  streamSeqOf,
} from './record-frame.ts';
import type { StoredMessage } from './stream-reader.ts';

/**
 * The messages of a log, in order, of which the first ones may have been trimmed.
 *
 * @param behind - The sequence of the message before them; 0 when that is not known.
 * @throws `LOG_CORRUPT`.
 */
export function framesOf(
  messages: readonly StoredMessage[],
  name: string,
  behind: number,
): Frame[] {
  const frames: Frame[] = [];
  const strays = new Set<number>();
  let last = behind;
  for (const { payload, seq } of messages) {
    const frame = decodeFrame(payload, seq, name);
    // One that names a later message than the last follows on messages that were trimmed.
    if (frame.previous < last || strays.has(frame.previous)) strays.add(seq);
    else {
      // What lies before a gap was being removed while it was read.
      if (frame.previous > last) frames.length = 0;
      frames.push(frame);
      last = seq;
    }
  }
  return frames;
}

/** The records behind a place. */
export function recordsBehind(frames: readonly Frame[], after: Seq): FrameRecord[] {
  const records = frames.flatMap(frame => frame.records);
  return after === 0 ? records : records.filter(({ seq }) => seq > after);
}

/** The records from the newest snapshot on; all of them when there is none. */
export function recordsFromSnapshot(frames: readonly Frame[]): FrameRecord[] {
  const records = recordsBehind(frames, 0);
  return records.slice(
    Math.max(
      0,
      records.findLastIndex(({ isSnapshot }) => isSnapshot),
    ),
  );
}

/** The newest snapshot of a message. */
export function snapshotSeqIn(frame: Frame): Seq | undefined {
  return frame.records.findLast(({ isSnapshot }) => isSnapshot)?.seq;
}

/**
 * From where on a log is shown whose first message this is: a log is trimmed by whole messages, and
 * most often to a snapshot. Where this is not the place it was trimmed to, or where what lies
 * before that place goes one by one, a mark says so.
 */
export function shownFrom(first: Frame, cut: Seq | undefined): Seq {
  const start = firstSeqOf(first);
  if (cut !== undefined && streamSeqOf(cut) >= first.streamSeq) return cut;
  if (first.previous === 0) return start;
  return first.records.find(({ isSnapshot }) => isSnapshot)?.seq ?? start;
}

/** Whether a log that begins with this message surely begins at its first record. */
export function isPlainStart({ records, previous }: Frame): boolean {
  return records.length === 1 && (previous === 0 || records[0]?.isSnapshot === true);
}

/** The place of the first record of a message. */
export function firstSeqOf(frame: Frame): Seq {
  return lastSeqOf(frame.streamSeq) - frame.records.length + 1;
}

/** The first records of those found, as the answer to a read. */
export function sliceOf(
  records: readonly StoredRecord[],
  recordsMax: number,
  end: { readonly tail: Seq; readonly isComplete: boolean },
): LogSlice {
  const isAll = records.length <= recordsMax;
  return {
    records: isAll ? records : records.slice(0, recordsMax),
    tail: end.tail,
    isComplete: end.isComplete && isAll,
    // No version of the servers has reads that surely show all that was acknowledged before.
    isStale: true,
  };
}
