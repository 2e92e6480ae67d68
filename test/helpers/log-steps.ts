/** Short ways to put text into a log and get it out again. */
import type { AppendResult, Log, LogSlice } from '../../src/ports/log.ts';

/** The texts of the records of an answer. */
export function textsOf(slice: Pick<LogSlice, 'records'>): string[] {
  return slice.records.map(record => Buffer.from(record.bytes).toString());
}

/** The place of an append that must have been accepted. */
export function seqOf(result: AppendResult): number {
  if (result.status !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result.seq;
}

/** Appends texts in one append; those that begin with `!` are snapshots. */
export async function put(
  log: Log,
  name: string,
  expected: number,
  ...texts: string[]
): Promise<number> {
  const records = texts.map(text => ({
    bytes: new TextEncoder().encode(text),
    isSnapshot: text.startsWith('!'),
  }));
  return seqOf(await log.append(name, expected, records));
}

/** Appends texts one after the other and returns their places. */
export async function putEach(log: Log, name: string, texts: string[]): Promise<number[]> {
  const seqs: number[] = [];
  for (const text of texts) seqs.push(await put(log, name, seqs.at(-1) ?? 0, text));
  return seqs;
}
