/**
 * Counters on the Log port of the real embedded engine, in the simulator: everything below the port
 * runs unchanged, on a disk that loses, tears and refuses.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../../src/core/errors.ts';
import { openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import type { Log } from '../../src/ports/log.ts';
import type { FinalRecord } from '../../src/testing/check-log.ts';
import type { SimPorts } from '../../src/testing/sim-process.ts';
import type { SimReport } from '../../src/testing/sim-runner.ts';
import type { CounterLine, CounterNode, CounterReply } from './counter-node.ts';
import { type CounterScenarioOptions, recordOf, runCounters } from './counter-world.ts';

// Small enough that segments end, checkpoints happen and space is reserved within minutes.
const limits = {
  segmentBytes: 32 << 10,
  batchBytesMax: 8 << 10,
  recordBytesMax: 4 << 10,
  appendBytesMax: 8 << 10,
  checkpointBytesMin: 16 << 10,
  reserveBytes: 4 << 10,
  sliceBytesMax: 16 << 10,
};

/** Runs one seed. */
export function scenario(options: CounterScenarioOptions): Promise<SimReport> {
  return runCounters(options, {
    boot: openLogNode,
    faultKinds: [
      ...(['kill', 'power-loss', 'pause', 'slow-disk', 'disk-full', 'clock-jump'] as const),
      ...(['failed-flush', 'failed-write', 'failed-read'] as const),
    ],
    faultPoints: new Map(),
    // The program is one of this file.
    records: node => node.call('records', each => (each as LogNode).records()),
  });
}

async function openLogNode(ports: SimPorts, onFailure: () => void): Promise<CounterNode> {
  const { disk, random, onFaultPoint } = ports;
  const log = await openEmbeddedLog({ disk, random, onFaultPoint, limits, shardCount: 4 });
  log.onFailure(onFailure);
  return new LogNode(log, log.epoch);
}

/** What is known of one counter. */
interface Counter {
  tail: number;
  line: CounterLine | undefined;
  hash: string;
  readonly replies: Map<string, CounterReply>;
}

class LogNode implements CounterNode {
  readonly #log: Log;
  readonly #epoch: number;
  readonly #counters = new Map<string, Counter>();
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(log: Log, epoch: number) {
    this.#log = log;
    this.#epoch = epoch;
  }

  add(agent: string, command: string, amount: number): Promise<CounterReply> {
    return this.#oneByOne(agent, async counter => {
      const known = counter.replies.get(command);
      if (known !== undefined) return known;
      const line: CounterLine = {
        agent,
        version: (counter.line?.version ?? 0) + 1,
        epoch: this.#epoch,
        command,
        amount,
        total: (counter.line?.total ?? 0) + amount,
        previous: counter.hash,
      };
      // Records of different lengths end in different sectors.
      const padded = { ...line, padding: '-'.repeat(amount * 40) };
      const bytes = new Uint8Array(Buffer.from(JSON.stringify(padded)));
      const result = await this.#log.append(agent, counter.tail, [{ bytes }]);
      if (result.status === 'conflict') {
        throw new TroupeError('VERSION_CONFLICT', { detail: `${agent} has another writer` });
      }
      if (result.status !== 'accepted') throw result.cause;
      counter.tail = result.seq;
      learn(counter, line, bytes);
      return replyOf(line);
    });
  }

  read(agent: string): Promise<CounterReply> {
    return this.#oneByOne(agent, async ({ line }) =>
      line === undefined ? { total: 0, stamp: { epoch: this.#epoch, version: 0 } } : replyOf(line),
    );
  }

  /** All logs, whole. */
  async records(): Promise<FinalRecord[]> {
    const records: FinalRecord[] = [];
    const { heads } = await this.#log.heads({});
    for (const { name } of heads) {
      await this.#scan(name, (line, bytes) => records.push(recordOf(line, hashOf(bytes))));
    }
    return records;
  }

  stop(): Promise<void> {
    return this.#log.close();
  }

  #oneByOne<Result>(agent: string, task: (counter: Counter) => Promise<Result>): Promise<Result> {
    const before = this.#queues.get(agent) ?? Promise.resolve();
    const turn = before.then(async () => {
      const counter = this.#counters.get(agent) ?? (await this.#load(agent));
      try {
        return await task(counter);
      } catch (error) {
        // What was stored is not known: the log says it.
        this.#counters.delete(agent);
        throw error;
      }
    });
    this.#queues.set(
      agent,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #load(agent: string): Promise<Counter> {
    const counter: Counter = { tail: 0, line: undefined, hash: '', replies: new Map() };
    counter.tail = await this.#scan(agent, (line, bytes) => learn(counter, line, bytes));
    this.#counters.set(agent, counter);
    return counter;
  }

  async #scan(agent: string, see: (line: CounterLine, bytes: Uint8Array) => void): Promise<number> {
    let after = 0;
    for (;;) {
      const slice = await this.#log.read(agent, { after });
      for (const { seq, bytes } of slice.records) {
        // What `add` wrote, and the log has checked.
        see(JSON.parse(Buffer.from(bytes).toString()) as CounterLine, bytes);
        after = seq;
      }
      if (slice.isComplete) return slice.tail;
    }
  }
}

function learn(counter: Counter, line: CounterLine, bytes: Uint8Array): void {
  counter.line = line;
  counter.hash = hashOf(bytes);
  counter.replies.set(line.command, replyOf(line));
}

function replyOf({ total, epoch, version }: CounterLine): CounterReply {
  return { total, stamp: { epoch, version } };
}

function hashOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16);
}
