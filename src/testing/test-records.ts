/** The log of an agent as a test sees it: one entry for each record, in words. */
import type { Log, Seq } from '../ports/log.ts';
import { decodeRecord } from '../state/record.ts';

/** One record. */
export interface TestRecord {
  /** The agent's version after it. */
  readonly version: number;
  readonly at: Date;
  readonly epoch: number;
  /** The action that led to it, if a message did. */
  readonly action: string | undefined;
  readonly caller: string | undefined;
  /** What it holds: `state`, `event`, `send`, `timer`, `consume`, `step` and so on. */
  readonly contents: readonly string[];
  readonly isSnapshot: boolean;
}

/** All records of a log that are kept, oldest first. */
export async function readRecords(log: Log, address: string): Promise<TestRecord[]> {
  const records: TestRecord[] = [];
  let after: Seq = 0;
  for (;;) {
    const slice = await log.read(address, { after });
    for (const { seq, bytes, isSnapshot } of slice.records) {
      const { version, at, epoch, origin, ops } = decodeRecord(bytes, `${address} at ${seq}`);
      const { action, caller } = origin ?? {};
      const contents = ops.map(op => op[0]);
      records.push({ version, at: new Date(at), epoch, action, caller, contents, isSnapshot });
      after = seq;
    }
    if (slice.isComplete || slice.records.length === 0) return records;
  }
}
