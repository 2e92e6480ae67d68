/**
 * The simplest program that is worth simulating: counters in one append-only file, with group
 * commit, deduplication by command and a checksum over each line. It can be built with classic
 * bugs, so that the simulator and its checkers can show that they find them.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../../src/core/errors.ts';
import type { DiskFile } from '../../src/ports/disk.ts';
import type { Stamp } from '../../src/testing/history.ts';
import type { FaultBoundary } from '../../src/testing/sim-fault-points.ts';
import type { SimPorts } from '../../src/testing/sim-process.ts';

/** The classic bugs it can be built with. */
export type CounterBug = 'ack-before-flush' | 'dedup-forgotten' | 'tail-trusted' | 'stale-read';

/** One line of its log. */
export interface CounterLine {
  readonly agent: string;
  readonly version: number;
  readonly epoch: number;
  readonly command: string;
  readonly amount: number;
  readonly total: number;
  readonly previous: string;
}

/** What it answers. */
export interface CounterReply {
  readonly total: number;
  readonly stamp: Stamp;
}

/** The running program. */
export interface CounterNode {
  add(agent: string, command: string, amount: number): Promise<CounterReply>;
  read(agent: string): Promise<CounterReply>;
  stop(): Promise<void>;
}

/** How it is built. */
export interface CounterOptions {
  readonly bug?: CounterBug | undefined;
  /** The program cannot go on: its disk failed. */
  readonly onFailure: () => void;
}

/** The places where it lets itself be crashed. */
export const counterFaultPoints: ReadonlyMap<string, FaultBoundary> = new Map([
  ['counter.before-write', 'before-durable'],
  ['counter.written', 'ambiguous'],
  ['counter.flushed', 'after-durable'],
]);

/** The file that holds its lines. */
export const counterFile = 'counters/log';

/** Starts it: locks its directory and reads its log. */
export async function openCounterNode(
  ports: SimPorts,
  options: CounterOptions,
): Promise<CounterNode> {
  await ports.disk.makeDirectory('counters');
  await ports.disk.flushDirectory('');
  await ports.disk.lock('counters/lock');
  const file = await ports.disk.open(counterFile, 'create');
  await ports.disk.flushDirectory('counters');
  const bytes = await file.read(0, await file.size());
  const { lines, hashes, end } = decodeLines(bytes);
  await file.truncate(end);
  // What is read here may never have reached the device, if a flush failed before: write it again.
  if (options.bug !== 'tail-trusted') await file.write(0, bytes.subarray(0, end));
  await file.flush();
  return new Counters({ ports, options, file, lines, hashes, end });
}

/** The lines in a log, up to the first that is not whole. */
export function decodeLines(bytes: Uint8Array): {
  lines: CounterLine[];
  hashes: string[];
  end: number;
} {
  const lines: CounterLine[] = [];
  const hashes: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  while (end + 8 <= bytes.length) {
    const length = view.getUint32(end);
    const body = bytes.subarray(end + 8, end + 8 + length);
    if (length === 0 || body.length !== length || crc32(body) !== view.getUint32(end + 4)) break;
    // Whole by its checksum, so it is what `bodyOf` wrote.
    lines.push(JSON.parse(Buffer.from(body).toString()) as CounterLine);
    hashes.push(hashOf(body));
    end += 8 + body.length;
  }
  return { lines, hashes, end };
}

interface CounterParts {
  readonly ports: SimPorts;
  readonly options: CounterOptions;
  readonly file: DiskFile;
  readonly lines: readonly CounterLine[];
  readonly hashes: readonly string[];
  readonly end: number;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly settle: () => void;
}

class Counters implements CounterNode {
  readonly #parts: CounterParts;
  readonly #epoch: number;
  readonly #newest = new Map<string, { line: CounterLine; hash: string }>();
  readonly #durable = new Map<string, CounterLine>();
  readonly #replies = new Map<string, Promise<CounterReply>>();
  #waiting: Waiting[] = [];
  #isWriting = false;
  #end: number;

  constructor(parts: CounterParts) {
    this.#parts = parts;
    this.#end = parts.end;
    let epoch = 0;
    for (const [place, line] of parts.lines.entries()) {
      epoch = Math.max(epoch, line.epoch);
      this.#newest.set(line.agent, { line, hash: parts.hashes[place] ?? '' });
      this.#durable.set(line.agent, line);
      if (parts.options.bug === 'dedup-forgotten') continue;
      this.#replies.set(`${line.agent} ${line.command}`, Promise.resolve(replyOf(line)));
    }
    this.#epoch = epoch + 1;
  }

  add(agent: string, command: string, amount: number): Promise<CounterReply> {
    const key = `${agent} ${command}`;
    const known = this.#replies.get(key);
    if (known !== undefined) return known;
    const reply = this.#append(agent, command, amount);
    this.#replies.set(key, reply);
    return reply;
  }

  async read(agent: string): Promise<CounterReply> {
    const { bug } = this.#parts.options;
    const line = bug === 'stale-read' ? this.#newest.get(agent)?.line : this.#durable.get(agent);
    if (line === undefined) return { total: 0, stamp: { epoch: this.#epoch, version: 0 } };
    return replyOf(line);
  }

  async stop(): Promise<void> {
    await this.#parts.file.close();
  }

  #append(agent: string, command: string, amount: number): Promise<CounterReply> {
    const before = this.#newest.get(agent);
    const line: CounterLine = {
      agent,
      version: (before?.line.version ?? 0) + 1,
      epoch: this.#epoch,
      command,
      amount,
      total: (before?.line.total ?? 0) + amount,
      previous: before?.hash ?? '',
    };
    const body = bodyOf(line);
    this.#newest.set(agent, { line, hash: hashOf(body) });
    return new Promise(resolve => {
      const settle = () => {
        this.#durable.set(agent, line);
        resolve(replyOf(line));
      };
      this.#waiting.push({ bytes: frame(body), settle });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0));
      this.#isWriting = false;
    } catch (error) {
      // What a failed write or flush left on the disk is not known: only a restart can tell.
      if (TroupeError.is(error)) this.#parts.options.onFailure();
      else throw error;
    }
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const { file, ports, options } = this.#parts;
    await ports.onFaultPoint('counter.before-write', 'before-durable');
    const bytes = Buffer.concat(batch.map(each => each.bytes));
    await file.write(this.#end, bytes);
    this.#end += bytes.length;
    await ports.onFaultPoint('counter.written', 'ambiguous');
    if (options.bug === 'ack-before-flush') for (const each of batch) each.settle();
    await file.flush();
    await ports.onFaultPoint('counter.flushed', 'after-durable');
    for (const each of batch) each.settle();
  }
}

function replyOf(line: CounterLine): CounterReply {
  return { total: line.total, stamp: { epoch: line.epoch, version: line.version } };
}

function bodyOf(line: CounterLine): Uint8Array {
  return Buffer.from(JSON.stringify(line));
}

function hashOf(body: Uint8Array): string {
  return crc32(body).toString(16);
}

function frame(body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.writeUInt32BE(crc32(body), 4);
  bytes.set(body, 8);
  return bytes;
}
