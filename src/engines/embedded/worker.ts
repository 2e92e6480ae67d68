/**
 * The storage worker: a thin shell around the store. It takes requests out of messages, gives them
 * to the store, and sends the answers of one commit together. It decides nothing itself.
 */
import type { MessagePort } from 'node:worker_threads';
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { Disk } from '../../ports/disk.ts';
import type { HeadsOptions, LogSlice } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { MessageReader, MessageWriter } from './message-bytes.ts';
import {
  answerKind,
  type Control,
  readAppend,
  readValue,
  requestKind,
  writeAppendResult,
  writeError,
  writeSlice,
  writeThrown,
  writeValue,
} from './messages.ts';
import type { StoreLimits } from './options.ts';
import { SegmentStore } from './store.ts';

/** What a storage worker is started with, as worker data. */
export interface StorageWorkerData {
  readonly directory: string;
  readonly limits?: Partial<StoreLimits> | undefined;
  readonly shardCount?: number | undefined;
  readonly acceptLoss?: boolean | undefined;
}

/** What a storage worker stands on. */
export interface StorageWorkerParts {
  readonly port: MessagePort;
  readonly data: StorageWorkerData;
  readonly random: Random;
  /** A disk with blocking calls for a directory. */
  readonly diskOf: (directory: string) => Disk;
}

/** Runs a storage worker on a port until it is told to close. */
export async function runStorageWorker(parts: StorageWorkerParts): Promise<void> {
  const { port, data, random, diskOf } = parts;
  const { directory, ...rest } = data;
  try {
    const store = await SegmentStore.open({ ...rest, disk: diskOf(directory), random, breathe });
    const shell = new Shell(store, parts);
    port.on('message', (message: ArrayBuffer) => shell.take(message));
    const { meta, recovery } = store;
    port.postMessage({ meta, recovery });
  } catch (error) {
    port.postMessage({ error: wrapError('ENGINE_FAILED', error, 'opening the log').toValue() });
    port.close();
  }
}

const encoder = new TextEncoder();

/** Lets messages in between two steps of background work. */
function breathe(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

class Shell {
  readonly #store: SegmentStore;
  readonly #parts: StorageWorkerParts;
  readonly #answers = new MessageWriter();
  #taken = 0;
  #isPosting = false;

  constructor(store: SegmentStore, parts: StorageWorkerParts) {
    this.#store = store;
    this.#parts = parts;
    store.onFailure(error => {
      this.#answer().byte(answerKind.failed);
      writeError(this.#answers, error);
    });
  }

  take(message: ArrayBuffer): void {
    this.#taken += 1;
    const reader = new MessageReader(message);
    while (reader.hasMore) this.#request(reader);
  }

  #request(reader: MessageReader): void {
    const kind = reader.byte();
    const id = reader.integer();
    if (kind === requestKind.append) this.#append(id, reader);
    else if (kind === requestKind.read) {
      const name = reader.bytes();
      const options = { after: reader.number(), recordsMax: reader.number() };
      this.#settle(id, async () => this.#slice(id, await this.#store.read(name, options)));
    } else if (kind === requestKind.readLatest) {
      const name = reader.bytes();
      this.#settle(id, async () => this.#slice(id, await this.#store.readLatest(name)));
    } else if (kind === requestKind.export) {
      const name = reader.bytes();
      this.#settle(id, async () => this.#slice(id, await this.#export(name)));
    } else if (kind === requestKind.trim) {
      const name = reader.bytes();
      const before = reader.number();
      this.#settle(id, async () => this.#value(id, await this.#store.trim(name, before)));
    } else {
      // Our own client wrote it.
      const control = readValue(reader) as Control;
      this.#settle(id, async () => this.#value(id, await this.#control(control)));
    }
  }

  #append(id: number, reader: MessageReader): void {
    const append = readAppend(reader);
    try {
      this.#store.append({
        ...append,
        settle: result => writeAppendResult(this.#answer(), id, result),
      });
    } catch (error) {
      this.#thrown(id, error);
    }
  }

  async #control({ name, input }: Control): Promise<unknown> {
    // Our own client wrote name and input, each fitting the other.
    if (name === 'heads') {
      const { prefix = '', ...rest } = input as HeadsOptions;
      return this.#store.heads({ ...rest, prefix: encoder.encode(prefix) });
    }
    if (name === 'close') return this.#store.close();
    const text = input as string;
    if (name === 'survey') return (await this.#store.salvage(encoder.encode(text))).survey;
    if (name === 'repair') return this.#store.repair(encoder.encode(text));
    if (name === 'backUp') return this.#store.backUp(this.#parts.diskOf(text));
    throw new TroupeError('INVARIANT_BROKEN', { detail: `the storage worker knows no ${name}` });
  }

  async #export(name: Uint8Array): Promise<LogSlice> {
    const { records } = await this.#store.salvage(name);
    return { records, tail: records.at(-1)?.seq ?? 0, isComplete: true, isStale: false };
  }

  #settle(id: number, answer: () => Promise<void>): void {
    answer().catch((error: unknown) => this.#thrown(id, error));
  }

  #slice(id: number, slice: LogSlice): void {
    writeSlice(this.#answer(), id, slice);
  }

  #value(id: number, value: unknown): void {
    writeValue(this.#answer(), id, value);
  }

  #thrown(id: number, error: unknown): void {
    writeThrown(this.#answer(), id, wrapError('ENGINE_FAILED', error, 'the storage worker'));
  }

  /** The writer for an answer; what is answered in this turn leaves in one message. */
  #answer(): MessageWriter {
    if (!this.#isPosting) {
      this.#isPosting = true;
      this.#answers.integer(0);
      // Disk calls block, so all that this message asked for is answered by then.
      setImmediate(() => this.#post());
    }
    return this.#answers;
  }

  #post(): void {
    this.#isPosting = false;
    this.#answers.setInteger(0, this.#taken);
    const message = this.#answers.take();
    this.#parts.port.postMessage(message, [message]);
  }
}
