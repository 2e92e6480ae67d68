/**
 * What can be had from a damaged log, and how it is made whole again. If the newest snapshot and
 * all behind it can be read, only history is lost and the log is trimmed. Else it is cut back to
 * the last record up to which everything can be read.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Seq, StoredRecord } from '../../ports/log.ts';
import type { ChainReader, ChainRecord } from './chain-reader.ts';
import {
  bodyOf,
  commitHeaderBytes,
  decodeRecord,
  type RecordHeader,
  recordHeaderBytes,
  recordKind,
} from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import { type Scan, scanCompacted, scanOf, scanRecords, walkCommits } from './scan.ts';
import type { StoreState } from './state.ts';

/** What a look at a log found, and what would make it whole. */
export interface LogSurvey {
  readonly name: string;
  /** `trim` loses history before the newest snapshot, `cut` loses the newest records. */
  readonly remedy: 'none' | 'trim' | 'cut';
  /** The place to trim before, or the last record that a cut keeps (0: none). */
  readonly place: Seq;
  /** The newest snapshot that a cut leaves. */
  readonly snapshot: Seq;
  /** How many records can be read, and how many of them the remedy keeps. */
  readonly readableCount: number;
  readonly keptCount: number;
  /** What is wrong, for people. */
  readonly damage: string | undefined;
}

/** A survey with the records that can be read, oldest first. */
export interface Salvage {
  readonly survey: LogSurvey;
  readonly records: readonly StoredRecord[];
}

/** Looks through all segments for the records of one log. */
export async function salvage(
  state: StoreState,
  chains: ChainReader,
  row: number,
): Promise<Salvage> {
  const readable = await readableRecords(state, row);
  const records = readable
    .filter(record => record.kind === recordKind.data)
    .map(({ position, body, isSnapshot }) => ({ seq: position, bytes: body, isSnapshot }));
  const name = Buffer.from(state.index.nameBytes(row)).toString();
  const damage = await damageOf(state, chains, row);
  const common = { name, damage: damage?.detail, readableCount: records.length };
  const keptOf = (from: Seq, to: Seq) =>
    records.filter(({ seq }) => seq >= from && seq <= to).length;
  if (damage === undefined) {
    const survey = { ...common, remedy: 'none', place: 0, snapshot: 0 } as const;
    return { records, survey: { ...survey, keptCount: records.length } };
  }
  const snapshot = state.index.snapshot(row);
  if (snapshot > 0 && (await isReadableFrom(state, chains, row, snapshot))) {
    const survey = { ...common, remedy: 'trim', place: snapshot, snapshot } as const;
    return { records, survey: { ...survey, keptCount: keptOf(snapshot, state.index.tail(row)) } };
  }
  const prefix = prefixOf(readable, state.index.firstKept(row));
  const place = prefix.at(-1)?.position ?? 0;
  const newest = prefix.findLast(record => record.isSnapshot)?.position ?? 0;
  const survey = { ...common, remedy: 'cut', place, snapshot: newest } as const;
  return { records, survey: { ...survey, keptCount: keptOf(0, place) } };
}

async function damageOf(
  state: StoreState,
  chains: ChainReader,
  row: number,
): Promise<TroupeError | undefined> {
  try {
    await walkBack(state, chains, row, 1);
    return undefined;
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'LOG_CORRUPT') return error;
    throw error;
  }
}

async function isReadableFrom(
  state: StoreState,
  chains: ChainReader,
  row: number,
  from: Seq,
): Promise<boolean> {
  try {
    await walkBack(state, chains, row, from);
    return true;
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'LOG_CORRUPT') return false;
    throw error;
  }
}

async function walkBack(
  { index, context }: StoreState,
  chains: ChainReader,
  row: number,
  from: Seq,
): Promise<void> {
  const floor = Math.max(from, index.firstKept(row));
  let position = index.tail(row);
  while (position >= floor) {
    ({ previous: position } = await chains.record(row, position));
    await context.breathe();
  }
}

/** The chain from the oldest record on, as far as each names the one before it. */
function prefixOf(readable: readonly ChainRecord[], firstKept: Seq): ChainRecord[] {
  const newestBehind = new Map<Seq, ChainRecord>();
  for (const record of readable) newestBehind.set(record.previous, record);
  const first = readable.find(({ previous }) => previous < Math.max(firstKept, 1));
  const prefix: ChainRecord[] = [];
  // Of two records behind the same one the newer counts: a cut, and what follows it.
  let next = first && newestBehind.get(first.previous);
  while (next !== undefined) {
    prefix.push(next);
    next = newestBehind.get(next.position);
  }
  return prefix;
}

async function readableRecords(state: StoreState, row: number): Promise<ChainRecord[]> {
  const records: ChainRecord[] = [];
  const from = state.index.firstKept(row);
  for (const segment of state.segments.list) {
    const scan = scanOf(segment, state.meta.salt, segment.size);
    for (const { offset, byteLength } of await framesOf(state, scan, row)) {
      const { bytes, at } = await scan.reader.window(offset, byteLength);
      const header = decodeRecord(bytes, at, state.meta.salt);
      const body = header && bodyOf(bytes, at, header);
      if (header === undefined || body === undefined || header.position < from) continue;
      const { position, previous, kind, isSnapshot } = header;
      records.push({ position, previous, kind, isSnapshot, body: Uint8Array.from(body) });
    }
    await state.context.breathe();
  }
  return records;
}

interface Frame {
  readonly offset: number;
  readonly byteLength: number;
}

/** Where the records of a log lie in a segment, also behind what cannot be read. */
async function framesOf(state: StoreState, scan: Scan, row: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  const name = state.index.nameBytes(row);
  const isChained = (header: RecordHeader) =>
    header.kind === recordKind.data || header.kind === recordKind.cut;
  const visitor: Parameters<typeof scanRecords>[2] = {
    record(header, { bytes, at }, offset) {
      const start = at + recordHeaderBytes;
      const found = bytes.buffer.subarray(start, start + header.nameLength);
      if (!isChained(header) || Buffer.compare(found, name) !== 0) return;
      frames.push({ offset, byteLength: header.byteLength });
    },
    hole: () => undefined,
  };
  const { segment } = scan;
  if (segment.header.isCompacted) {
    await scanCompacted(scan, visitor);
    return frames;
  }
  const walk = await walkCommits(scan, fileHeaderBytes, segment.size, async (commit, offset) => {
    const range = { from: offset + commitHeaderBytes, to: offset + commit.byteLength };
    await scanRecords(scan, range, visitor);
    return true;
  });
  for (const gap of walk.gaps) await scanRecords(scan, gap, visitor);
  return frames.toSorted((one, other) => one.offset - other.offset);
}
