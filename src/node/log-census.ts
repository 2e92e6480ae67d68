/**
 * What is in a set of logs: each record is checked against the chain of its log, and all of it
 * comes to one digest, which is the same wherever the same logs lie. A copy is right when what is
 * counted at its source and read back at its target agree.
 */
import { createHash } from 'node:crypto';
import { TroupeError } from '../core/errors.ts';
import type {
  Heads,
  HeadsOptions,
  Log,
  LogHead,
  LogSlice,
  ReadOptions,
  StoredRecord,
} from '../ports/log.ts';
import { type ChainHash, chainHash, chainHex, emptyChain } from '../state/hash.ts';
import { decodeRecord } from '../state/record.ts';

/** What all logs come to. */
export interface CensusReport {
  readonly logCount: number;
  readonly recordCount: number;
  /** The bytes of the records. */
  readonly recordBytes: number;
  /** Over address, version and chain of every agent, as 64 hexadecimal digits. */
  readonly digest: string;
}

/** What a backup or a restore of a cluster did. */
export interface ClusterCopyReport extends CensusReport {
  readonly epoch: number;
  readonly lineage: string;
  /** How long durable work waited, where a node made the copy while it worked. */
  readonly heldMs?: number | undefined;
}

/** What is known of one log. */
export interface LogEntry {
  readonly recordCount: number;
  readonly recordBytes: number;
  readonly version: number;
  readonly chain: ChainHash;
  /** When it has work. */
  readonly wakeAt: number;
  /** Whether it can be read: from its first record on, or from a snapshot. */
  readonly isRooted: boolean;
}

/** What can be read of logs, on a backup as on an engine. */
export interface ReadableLogs {
  heads(options: HeadsOptions): Promise<Heads>;
  read(name: string, options: ReadOptions): Promise<LogSlice>;
}

/** Counts logs. */
export class LogCensus {
  readonly #entries = new Map<string, LogEntry>();
  #largest = { name: '', bytes: 0 };

  /** How many logs were counted. */
  get size(): number {
    return this.#entries.size;
  }

  /** The largest record, and whose it is. */
  get largest(): { readonly name: string; readonly bytes: number } {
    return this.#largest;
  }

  /** The logs that were counted. */
  names(): string[] {
    return [...this.#entries.keys()];
  }

  /** What was counted of a log. */
  get(name: string): LogEntry | undefined {
    return this.#entries.get(name);
  }

  /**
   * Counts the next records of a log.
   *
   * @throws `LOG_CORRUPT` when one does not follow the one before it; `ENGINE_UNSUPPORTED`.
   */
  add(name: string, records: readonly StoredRecord[], wakeAt: number): void {
    let entry = this.#entries.get(name);
    for (const record of records) {
      entry = next(name, entry, record, wakeAt);
      const bytes = record.bytes.length;
      if (bytes > this.#largest.bytes) this.#largest = { name, bytes };
    }
    if (entry !== undefined) this.#entries.set(name, entry);
  }

  /**
   * Makes sure that a log can be read from somewhere on.
   *
   * @throws `LOG_CORRUPT` when its beginning is missing, and no snapshot stands for it.
   */
  checkRoot(name: string): void {
    if (this.#entries.get(name)?.isRooted === false) throw broken(name, 'its beginning is missing');
  }

  /** Counts a log no more. */
  leaveOut(name: string): void {
    this.#entries.delete(name);
  }

  /**
   * What all comes to.
   *
   * @throws `LOG_CORRUPT` when the beginning of a log is missing.
   */
  report(): CensusReport {
    const hash = createHash('sha256');
    let recordCount = 0;
    let recordBytes = 0;
    for (const name of [...this.#entries.keys()].sort()) {
      this.checkRoot(name);
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      recordCount += entry.recordCount;
      recordBytes += entry.recordBytes;
      hash.update(`${JSON.stringify(name)} ${entry.version} ${chainHex(entry.chain)}\n`);
    }
    return { logCount: this.#entries.size, recordCount, recordBytes, digest: hash.digest('hex') };
  }

  /** How another set of logs differs from this one; nothing when they are the same. */
  differenceFrom(other: LogCensus): string | undefined {
    for (const [name, entry] of this.#entries) {
      const found = other.get(name);
      if (found === undefined) return `${name} is missing`;
      const isSame =
        found.chain === entry.chain &&
        found.recordCount === entry.recordCount &&
        found.wakeAt === entry.wakeAt;
      if (!isSame) return `${name} is not the same`;
    }
    for (const name of other.#entries.keys()) {
      if (!this.#entries.has(name)) return `${name} is there and should not be`;
    }
    return undefined;
  }
}

/**
 * Counts all logs of a store.
 *
 * @param onDamage - Is told of a log that cannot be read, and the others are counted; without it,
 * what is wrong with one is thrown.
 * @throws `LOG_CORRUPT`, and what the store throws.
 */
export async function censusOf(
  logs: ReadableLogs,
  onDamage?: (name: string) => void,
): Promise<LogCensus> {
  const census = new LogCensus();
  for await (const { name, wakeAt } of allHeads(logs)) {
    try {
      for await (const records of slicesOf(logs, name)) census.add(name, records, wakeAt);
      census.checkRoot(name);
    } catch (error) {
      if (onDamage === undefined || !isDamage(error)) throw error;
      census.leaveOut(name);
      onDamage(name);
    }
  }
  return census;
}

/** The heads of all logs. */
export async function* allHeads(logs: Pick<Log, 'heads'>): AsyncGenerator<LogHead> {
  let cursor: string | undefined;
  do {
    const page: Heads = await logs.heads({ cursor });
    yield* page.heads;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** The records of a log, oldest first, some at a time. */
export async function* slicesOf(
  logs: Pick<Log, 'read'>,
  name: string,
): AsyncGenerator<readonly StoredRecord[]> {
  let after = 0;
  for (;;) {
    const slice = await logs.read(name, { after });
    if (slice.records.length > 0) yield slice.records;
    const last = slice.records.at(-1);
    if (slice.isComplete || last === undefined) return;
    after = last.seq;
  }
}

function next(
  name: string,
  before: LogEntry | undefined,
  { bytes, seq, isSnapshot }: StoredRecord,
  wakeAt: number,
): LogEntry {
  const { previous, version } = decodeRecord(bytes, `${name} at ${seq}`);
  if (before !== undefined && previous !== before.chain) {
    throw broken(name, `the record at ${seq} does not follow the one before it (its hash differs)`);
  }
  const isRoot = isSnapshot || (before === undefined && previous === emptyChain);
  return {
    recordCount: (before?.recordCount ?? 0) + 1,
    recordBytes: (before?.recordBytes ?? 0) + bytes.length,
    version,
    chain: chainHash(bytes),
    wakeAt,
    isRooted: isRoot || before?.isRooted === true,
  };
}

function isDamage(error: unknown): boolean {
  return TroupeError.is(error) && error.code === 'LOG_CORRUPT';
}

function broken(name: string, what: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', { detail: `${name}: ${what}` });
}
