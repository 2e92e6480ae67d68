/**
 * The Log port on JetStream: a subject for each log, streams for groups of shards, one message for
 * each append. It stands on a connection alone, so that the simulator can stand in for the servers.
 */
import { invariant, TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  AppendOptions,
  AppendResult,
  Heads,
  HeadsOptions,
  Log,
  LogCapabilities,
  LogSlice,
  NewRecord,
  ReadOptions,
  Seq,
} from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { NatsClient } from './client.ts';
import { LogAppend } from './log-append.ts';
import { LogList } from './log-list.ts';
import { LogRead } from './log-read.ts';
import { type LogMarks, type LogState, LogStates } from './log-states.ts';
import type { LogLayout } from './log-subjects.ts';
import { LogTrim } from './log-trim.ts';
import { StreamReader } from './stream-reader.ts';
import { ensureStreams } from './streams.ts';
import { SubjectPages } from './subject-pages.ts';
import { WakeLog } from './wake-log.ts';

/** How {@link openNatsLog} opens. */
export interface NatsLogOptions {
  /** Whoever made it closes it. */
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The name of the cluster: up to 32 letters, digits, `-` and `_`. */
  readonly cluster: string;
  /** On how many servers each message is kept (default 1). */
  readonly replicas?: number | undefined;
  /** The number of streams of a cluster that is made now (default 16). */
  readonly streamCount?: number | undefined;
  /** The number of shards of a cluster that is made now (default 256). */
  readonly shardCount?: number | undefined;
  /**
   * Whether the servers flush before they acknowledge. A connection does not show it; who
   * configured the servers, or may ask them, says it (default false).
   */
  readonly isFlushed?: boolean | undefined;
  /** Takes servers whose compare-and-append is known to be unsound: for showing that it is. */
  readonly isUnsoundAllowed?: boolean | undefined;
}

/** What headers, subjects and the line before them take of the largest message. */
const envelopeBytesMax = 2_048;
const defaults = { replicas: 1, streamCount: 16, shardCount: 256 } as const;
const clusterPattern = /^[\w-]{1,32}$/;
/** So many damaged logs are remembered. */
const damagedMax = 1_000;
/** So many appends may be under way or wait. */
const appendsMax = 16_384;

/**
 * Opens the logs of a cluster, and makes its streams when there are none.
 *
 * @remarks Reads are not linearizable on any version of the servers: the first append behind a tail
 * tells whether it was the last.
 * @throws `CONFIG_INVALID`, `ENGINE_UNSUPPORTED`, `NO_QUORUM`, `ENGINE_UNAVAILABLE`,
 * `UNAUTHORIZED`.
 */
export async function openNatsLog(options: NatsLogOptions): Promise<Log> {
  const layout = layoutOf(options);
  const { client, clock, random, isUnsoundAllowed } = options;
  const replicas = options.replicas ?? defaults.replicas;
  const streams = { client, clock, random, layout, replicas, isUnsoundAllowed };
  const { isDirect } = await ensureStreams(streams);
  return new NatsLog(options, layout, isDirect);
}

class NatsLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly #client: NatsClient;
  readonly #states: LogStates;
  readonly #reader: StreamReader;
  readonly #wake: WakeLog;
  readonly #writer: string;
  readonly #append: LogAppend;
  readonly #read: LogRead;
  readonly #trim: LogTrim;
  readonly #list: LogList;
  readonly #damaged = new Map<string, TroupeError>();
  readonly #failureListeners = new Set<(error: TroupeError) => void>();
  readonly #forget: () => void;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #failure: TroupeError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NatsLogOptions, layout: LogLayout, isDirect: boolean) {
    const { client, clock, random } = options;
    const parts = { client, clock, random, layout };
    const writer = random.hex(8);
    const reader = new StreamReader({ ...parts, isDirect });
    const states = new LogStates(layout);
    const wake = new WakeLog({ ...parts, reader, writer });
    const read = new LogRead({
      reader,
      clock,
      cutOf: state => this.#trim.cutOf(state),
      onEnd: (state, marks) => this.#sawEnd(state, marks),
    });
    const messageBytesMax = client.server.payloadBytesMax - envelopeBytesMax;
    this.#client = client;
    this.#writer = writer;
    this.#reader = reader;
    this.#states = states;
    this.#wake = wake;
    this.#read = read;
    this.#append = new LogAppend({ ...parts, reader, wake, writer, messageBytesMax });
    this.#trim = new LogTrim({ ...parts, reader, read });
    const subjects = new SubjectPages(parts);
    this.#list = new LogList({ reader, layout, states, subjects, wake, writer });
    this.capabilities = {
      hasLinearizableReads: false,
      isFlushed: options.isFlushed ?? false,
      recordBytesMax: this.#append.recordBytesMax,
    };
    this.#forget = client.onStatus(status => {
      if (status === 'closed') this.#fail();
    });
  }

  async append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    { wakeAt }: AppendOptions = {},
  ): Promise<AppendResult> {
    this.#refuseClosed();
    invariant(records.length > 0, `an append to ${name} must hold at least one record`);
    const damage = this.#damaged.get(name);
    if (damage !== undefined) throw damage;
    if (this.#failure !== undefined) return { status: 'unavailable', cause: this.#failure };
    if (this.#inFlight >= appendsMax) return { status: 'unavailable', cause: overloaded() };
    this.#inFlight += 1;
    try {
      return await this.#append.append(this.#states.of(name), { expected, records, wakeAt });
    } finally {
      this.#ended();
    }
  }

  read(name: string, options: ReadOptions): Promise<LogSlice> {
    return this.#reading(name, state => this.#read.behind(state, options));
  }

  readLatest(name: string): Promise<LogSlice> {
    return this.#reading(name, state => this.#read.latest(state));
  }

  trim(name: string, before: Seq): Promise<void> {
    return this.#reading(name, state => this.#trim.trim(state, before));
  }

  heads(options: HeadsOptions): Promise<Heads> {
    return this.#during(() => this.#list.heads(options));
  }

  onFailure(listener: (error: TroupeError) => void): void {
    this.#failureListeners.add(listener);
    if (this.#failure !== undefined) listener(this.#failure);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#forget();
    if (this.#inFlight > 0) {
      await new Promise<void>(resolve => {
        this.#onIdle = resolve;
      });
    }
    this.#reader.close();
    this.#failureListeners.clear();
  }

  /** Reads a log, and remembers whether it is damaged. */
  async #reading<Value>(name: string, read: (state: LogState) => Promise<Value>): Promise<Value> {
    try {
      const value = await this.#during(() => read(this.#states.of(name)));
      this.#damaged.delete(name);
      return value;
    } catch (error) {
      const isDamage = TroupeError.is(error) && error.code === 'LOG_CORRUPT';
      if (isDamage && this.#damaged.size < damagedMax) this.#damaged.set(name, error);
      throw error;
    }
  }

  async #during<Value>(operation: () => Promise<Value>): Promise<Value> {
    this.#refuseClosed();
    this.#inFlight += 1;
    try {
      return await operation();
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** Who finds that somebody else has appended relies on no mark of its own any more. */
  #sawEnd({ place, marks: known }: LogState, seen: LogMarks): void {
    const { index } = this.#wake;
    if (seen.writer !== this.#writer) index.disown(place.name);
    if (known !== undefined && seen.tail > known.tail) index.unpin(place.name);
  }

  #fail(): void {
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    this.#failure = new TroupeError('ENGINE_FAILED', {
      detail: `the connection to the NATS server ${this.#client.server.name} was closed`,
      outcome: 'not-executed',
    });
    for (const listener of this.#failureListeners) listener(this.#failure);
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new TroupeError('NOT_STARTED', { detail: 'the log is closed' });
  }
}

function layoutOf({ cluster, shardCount, streamCount, replicas }: NatsLogOptions): LogLayout {
  const layout = {
    cluster,
    shardCount: shardCount ?? defaults.shardCount,
    streamCount: streamCount ?? defaults.streamCount,
  };
  if (!clusterPattern.test(cluster)) {
    throw invalid(
      `the name of a cluster is up to 32 letters, digits, "-" and "_", not "${cluster}"`,
    );
  }
  for (const [name, value] of Object.entries({ ...layout, replicas: replicas ?? 1 })) {
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value > 0)) {
      throw invalid(`${name} is ${value}; it must be a whole number above 0`);
    }
  }
  if (layout.streamCount <= layout.shardCount && layout.shardCount <= 4_096) return layout;
  throw invalid('there are at most 4,096 shards, and at most as many streams as shards');
}

function invalid(detail: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', { detail });
}

function overloaded(): TroupeError {
  return new TroupeError('OVERLOADED', {
    detail: `${appendsMax} appends are under way`,
    outcome: 'not-executed',
  });
}
