/**
 * How the servers are, as they say themselves: their versions, their clocks, and whether they flush
 * what they acknowledge. JetStream's own answers tell none of it, so the recommended configuration
 * lets nodes ask all servers on one subject. Servers that are configured otherwise say nothing.
 */
import type { Clock } from '../../ports/clock.ts';
import type { NatsClient, NatsMessage } from './client.ts';

/** What one server says. */
export interface ServerReport {
  readonly name: string;
  /** For example `2.15.1`. */
  readonly version: string;
  /** Whether an acknowledgement waits for its disk. */
  readonly isFlushed: boolean;
  /** What its streams take, and what they may take; nothing while it keeps none. */
  readonly store?: ServerStore | undefined;
  /** How far its clock is ahead of ours; less than 0 when it is behind. */
  readonly clockAheadMs: number;
  /** By how much that may be wrong: half the time that its answer took. */
  readonly clockDoubtMs: number;
}

/** The room for streams on one server. */
export interface ServerStore {
  readonly bytesUsed: number;
  readonly bytesMax: number;
}

/**
 * Whether what the servers acknowledge is on their disks: all that answered say so, and they are
 * enough to have a say in every acknowledgement; one says that it is not; or they do not say.
 */
export type Flushing = 'flushed' | 'unflushed' | 'unsaid';

/** How servers are asked. */
export interface AskServersOptions {
  readonly client: NatsClient;
  readonly clock: Clock;
  /** How long the first answer is waited for (default 1,000). */
  readonly timeoutMs?: number | undefined;
  /** How long a further one is, after each (default 250). */
  readonly quietMs?: number | undefined;
}

/** Where nodes ask; the configuration of the servers leads it to them. */
export const serversSubject = 'tp.servers';

const defaultTimeoutMs = 1_000;
const defaultQuietMs = 250;
const serversMax = 100;
const nobodyStatus = 503;

/**
 * Asks all servers that are up how they are; none when nobody may ask.
 *
 * @throws `ENGINE_UNAVAILABLE` without a connection.
 */
export async function askServers(options: AskServersOptions): Promise<readonly ServerReport[]> {
  const { client, clock, timeoutMs = defaultTimeoutMs, quietMs = defaultQuietMs } = options;
  const reports = new Map<string, ServerReport>();
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const inbox = client.inbox();
  let askedAt = { wall: clock.now(), steady: clock.monotonic() };
  let timer = clock.setTimer(timeoutMs, end);
  const stop = await client.subscribe(inbox, message => {
    if (message.status === nobodyStatus) return end();
    const report = reportIn(message, askedAt, clock);
    if (report !== undefined) reports.set(report.name, report);
    if (reports.size >= serversMax) return end();
    timer.cancel();
    timer = clock.setTimer(quietMs, end);
  });
  try {
    askedAt = { wall: clock.now(), steady: clock.monotonic() };
    if (client.publish(serversSubject, new Uint8Array(), { reply: inbox })) await isOver;
  } finally {
    timer.cancel();
    stop();
  }
  return [...reports.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** What the servers say about flushing, for what is kept on so many of them. */
export function flushingOf(reports: readonly ServerReport[], replicas: number): Flushing {
  if (reports.some(({ isFlushed }) => !isFlushed)) return 'unflushed';
  return reports.length > replicas / 2 ? 'flushed' : 'unsaid';
}

interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/** What a server said; nothing when it was something else. */
function reportIn(message: NatsMessage, asked: Moment, clock: Clock): ServerReport | undefined {
  const answer = jsonOf(message.payload);
  const [server, data] = [fieldOf(answer, 'server'), fieldOf(answer, 'data')];
  const jetStream = fieldOf(data, 'jetstream');
  const [name, version] = [fieldOf(server, 'name'), fieldOf(data, 'version')];
  const at = Date.parse(String(fieldOf(data, 'now')));
  if (typeof name !== 'string' || typeof version !== 'string' || Number.isNaN(at)) return undefined;
  const halfMs = (clock.monotonic() - asked.steady) / 2;
  return {
    name,
    version,
    isFlushed: fieldOf(fieldOf(jetStream, 'config'), 'sync_always') === true,
    store: storeIn(jetStream),
    clockAheadMs: at - (asked.wall + halfMs),
    clockDoubtMs: halfMs,
  };
}

function storeIn(jetStream: unknown): ServerStore | undefined {
  const bytesUsed = fieldOf(fieldOf(jetStream, 'stats'), 'storage');
  const bytesMax = fieldOf(fieldOf(jetStream, 'config'), 'max_storage');
  const isSaid = typeof bytesUsed === 'number' && typeof bytesMax === 'number' && bytesMax > 0;
  return isSaid ? { bytesUsed, bytesMax } : undefined;
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    // Somebody else answers there: that is no server.
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Reflect.get(value, name);
}
