/**
 * The Log port whose store lives in a storage worker, so that no disk call ever blocks the thread
 * that runs agents. How requests cross is the business of `worker-channel.ts`.
 */
import { Worker } from 'node:worker_threads';
import { type ErrorValue, TroupeError, textOf } from '../../core/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  Heads,
  HeadsOptions,
  LogCapabilities,
  LogSlice,
  NewRecord,
  ReadOptions,
  Seq,
  StoredRecord,
} from '../../ports/log.ts';
import type { CopyReport } from './backup.ts';
import type { EmbeddedLog } from './log.ts';
import type { MessageWriter } from './message-bytes.ts';
import { requestKind } from './messages.ts';
import type { Meta } from './meta.ts';
import { storeLimits } from './options.ts';
import type { RecoveryReport } from './recovery.ts';
import type { LogSurvey } from './salvage.ts';
import type { StorageWorkerData } from './worker.ts';
import { WorkerChannel } from './worker-channel.ts';

/** How {@link openEmbeddedLogInWorker} opens. */
export interface WorkerLogOptions extends StorageWorkerData {
  /** The module that the worker runs: it calls `runStorageWorker` with this machine's disk. */
  readonly entry: URL;
}

interface Opened {
  readonly meta: Meta;
  readonly recovery: RecoveryReport;
}

const recordsMaxDefault = 1_000;

/**
 * Opens the log of a directory in a worker thread.
 *
 * @throws As `openEmbeddedLog` does.
 */
export async function openEmbeddedLogInWorker(options: WorkerLogOptions): Promise<EmbeddedLog> {
  const { entry, ...workerData } = options;
  // The worker needs no environment; with one, Node's watch mode would report through its port.
  const worker = new Worker(entry, { workerData, env: {} });
  try {
    return new WorkerLog(worker, await openedOf(worker), options);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

/** The worker's first message says how opening went. */
async function openedOf(worker: Worker): Promise<Opened> {
  let fail: (cause: unknown) => void = () => undefined;
  const first = await new Promise<Opened | { error: ErrorValue }>((resolve, reject) => {
    fail = cause => reject(startFailure(cause));
    worker.once('message', resolve).once('error', fail).once('exit', fail);
  });
  worker.off('error', fail).off('exit', fail);
  if ('error' in first) throw TroupeError.from(first.error);
  return first;
}

function startFailure(cause: unknown): TroupeError {
  const detail = `the storage worker did not start: ${textOf(cause)}`;
  return new TroupeError('ENGINE_FAILED', { detail, outcome: 'not-executed', cause });
}

class WorkerLog implements EmbeddedLog {
  readonly capabilities: LogCapabilities;
  readonly epoch: number;
  readonly shardCount: number;
  readonly lineage: string;
  readonly recovery: RecoveryReport;
  readonly #channel: WorkerChannel;
  readonly #failureListeners: ((error: TroupeError) => void)[] = [];
  #failure: TroupeError | undefined;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, { meta, recovery }: Opened, { limits }: WorkerLogOptions) {
    const recordBytesMax = limits?.recordBytesMax ?? storeLimits.recordBytesMax;
    this.capabilities = { hasLinearizableReads: true, isFlushed: true, recordBytesMax };
    this.epoch = meta.epoch;
    this.shardCount = meta.shardCount;
    this.lineage = meta.lineage;
    this.recovery = recovery;
    this.#channel = new WorkerChannel(worker, error => this.#failed(error));
  }

  append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    { wakeAt }: AppendOptions = {},
  ): Promise<AppendResult> {
    return this.#channel.append({ name, expected, records, wakeAt });
  }

  read(name: string, { after, recordsMax }: ReadOptions): Promise<LogSlice> {
    return this.#channel.request(requestKind.read, writer => {
      writer.text(name);
      writer.number(after);
      writer.number(recordsMax ?? recordsMaxDefault);
    });
  }

  readLatest(name: string): Promise<LogSlice> {
    return this.#channel.request(requestKind.readLatest, writer => writer.text(name));
  }

  async trim(name: string, before: Seq): Promise<void> {
    await this.#channel.request(requestKind.trim, writer => {
      writer.text(name);
      writer.number(before);
    });
  }

  heads(options: HeadsOptions): Promise<Heads> {
    return this.#channel.control({ name: 'heads', input: options });
  }

  survey(name: string): Promise<LogSurvey> {
    return this.#channel.control({ name: 'survey', input: name });
  }

  async exportReadable(name: string): Promise<readonly StoredRecord[]> {
    const write = (writer: MessageWriter) => writer.text(name);
    return (await this.#channel.request<LogSlice>(requestKind.export, write)).records;
  }

  repair(name: string): Promise<LogSurvey> {
    return this.#channel.control({ name: 'repair', input: name });
  }

  backUp(directory: string): Promise<CopyReport> {
    return this.#channel.control({ name: 'backUp', input: directory });
  }

  onFailure(listener: (error: TroupeError) => void): void {
    if (this.#failure === undefined) this.#failureListeners.push(listener);
    else listener(this.#failure);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#channel.control({ name: 'close' });
    } finally {
      await this.#channel.end();
    }
  }

  #failed(error: TroupeError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const listener of this.#failureListeners.splice(0)) listener(error);
  }
}
