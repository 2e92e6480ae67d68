/** The subject of the laws of the log, and the steps they are made of. */
import type { Heads, HeadsOptions, Log, LogHead, LogSlice, NewRecord, Seq } from '../ports/log.ts';
import { bytesOf, must, readText } from './law-checks.ts';

/** A log to check, empty at first. */
export interface LogSubject {
  readonly log: Log;
  /** Closes the log and opens the same store again, as a restart does. */
  readonly reopen?: (() => Promise<Log>) | undefined;
  /** Damages the stored record of a log that holds this text, below what the engine can know. */
  readonly damage?: ((name: string, text: string) => Promise<void>) | undefined;
}

/** A record that holds a text. */
export function record(text: string): NewRecord {
  return { bytes: bytesOf(text) };
}

/** A snapshot that holds a text. */
export function snapshot(text: string): NewRecord {
  return { bytes: bytesOf(text), isSnapshot: true };
}

/** Appends what must be accepted, and returns the new tail. */
export async function put(
  log: Log,
  name: string,
  expected: Seq,
  records: readonly (string | NewRecord)[],
): Promise<Seq> {
  const result = await log.append(name, expected, records.map(asRecord));
  must(
    result.status === 'accepted',
    `an append to ${JSON.stringify(name)} behind ${expected} is accepted, not ${result.status}`,
  );
  return result.seq;
}

/** Appends each text on its own, and returns the places. */
export async function putEach(
  log: Log,
  name: string,
  records: readonly (string | NewRecord)[],
): Promise<Seq[]> {
  const seqs: Seq[] = [];
  for (const each of records) seqs.push(await put(log, name, seqs.at(-1) ?? 0, [each]));
  return seqs;
}

/** The texts of a slice. */
export function textsOf(slice: Pick<LogSlice, 'records'>): string[] {
  return slice.records.map(each => readText(each.bytes));
}

/** All records behind a place, read in pages. */
export async function readAll(
  log: Log,
  name: string,
  after: Seq = 0,
  recordsMax?: number,
): Promise<LogSlice> {
  return goOn(log, name, await log.read(name, { after, recordsMax }), recordsMax);
}

/** The newest snapshot and all records behind it, read on where the first answer ended. */
export async function readAllLatest(log: Log, name: string): Promise<LogSlice> {
  return goOn(log, name, await log.readLatest(name));
}

async function goOn(
  log: Log,
  name: string,
  first: LogSlice,
  recordsMax?: number,
): Promise<LogSlice> {
  const records = [...first.records];
  let slice = first;
  while (!slice.isComplete) {
    must(slice.records.length > 0, 'an answer that is not complete holds at least one record');
    const after = records.at(-1)?.seq ?? 0;
    slice = await log.read(name, { after, recordsMax });
    // Without this, an engine that shows a record again would keep the law busy for ever.
    must((slice.records[0]?.seq ?? after + 1) > after, 'a page begins behind the one before');
    records.push(...slice.records);
  }
  return { ...slice, records };
}

/** The page of heads behind another, and all pages in one. */
export async function allHeads(log: Log, options: HeadsOptions = {}): Promise<LogHead[]> {
  const heads: LogHead[] = [];
  let page: Heads = await log.heads(options);
  for (let pages = 0; pages < 10_000; pages++) {
    heads.push(...page.heads);
    if (page.cursor === undefined) return heads;
    page = await log.heads({ ...options, cursor: page.cursor });
  }
  throw new Error('listing must come to an end, and did not in 10,000 pages');
}

/** The head of one log, if it is listed. */
export async function headOf(log: Log, name: string): Promise<LogHead | undefined> {
  const heads = await allHeads(log, { prefix: name });
  return heads.find(head => head.name === name);
}

function asRecord(each: string | NewRecord): NewRecord {
  return typeof each === 'string' ? record(each) : each;
}
