/**
 * Fills the streams of a cluster with logs, as fast as servers take them: messages of the form that
 * the engine writes, each of which names the one before it. Sequences are foretold, since nobody
 * else writes, and every 64th message of a stream is acknowledged and must have got the one that
 * was foretold for it.
 */
import { clusterDefaults } from '../src/cluster/cluster-document.ts';
import type { NatsClient } from '../src/engines/nats/client.ts';
import { connectNats } from '../src/engines/nats/connection.ts';
import { askJetStream, isObject, publishInto } from '../src/engines/nats/jetstream.ts';
import { type LogPlace, logStreamName, placeOf } from '../src/engines/nats/log-subjects.ts';
import { encodeFrame } from '../src/engines/nats/record-frame.ts';
import { systemClock } from '../src/engines/system/clock.ts';
import type { StoredRecord } from '../src/ports/log.ts';
import { clusterName } from './nats-servers.ts';

/** Which logs, and what each of them holds. */
export interface FillOptions {
  readonly urls: readonly string[];
  readonly count: number;
  /** The log of that number. */
  readonly nameOf: (item: number) => string;
  /** The records of each message. */
  readonly messages: readonly (readonly StoredRecord[])[];
}

const layout = { cluster: clusterName, ...clusterDefaults };
const writer = 'f111f111f111f111';
const acknowledgedEvery = 64;
/** So many acknowledgements may be waited for at once. */
const openMax = 64;
const timeoutMs = 60_000;

/** Fills. Fails when a server lost a message, or somebody else wrote. */
export async function fillLogs(options: FillOptions): Promise<void> {
  const client = await connectNats({ servers: options.urls }, { clock: systemClock() });
  try {
    const filler = new Filler(client, await lastSeqs(client));
    for (let item = 0; item < options.count; item += 1) {
      const place = placeOf(layout, options.nameOf(item));
      await filler.log(place, options.messages, item >= options.count - layout.streamCount * 8);
    }
    await filler.end();
  } finally {
    await client.close();
  }
}

class Filler {
  readonly #client: NatsClient;
  /** The last sequence of each stream. */
  readonly #seqs: number[];
  readonly #open = new Set<Promise<void>>();
  #failure: unknown;
  #number = 0;

  constructor(client: NatsClient, seqs: number[]) {
    this.#client = client;
    this.#seqs = seqs;
  }

  async log(
    place: LogPlace,
    messages: readonly (readonly StoredRecord[])[],
    isAcknowledged: boolean,
  ): Promise<void> {
    let previous = 0;
    let snapshotBefore = 0;
    for (const records of messages) {
      this.#number += 1;
      const { name } = place;
      const number = this.#number;
      const head = { name, writer, number, previous, snapshotBefore, wakeAt: Infinity };
      const seq = (this.#seqs[place.streamIndex] ?? 0) + 1;
      this.#seqs[place.streamIndex] = seq;
      await this.#send(place, encodeFrame(head, records), { seq, isAcknowledged });
      if (records.some(({ isSnapshot }) => isSnapshot)) snapshotBefore = seq;
      previous = seq;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#open);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #send(
    { subject, stream }: LogPlace,
    payload: Uint8Array,
    { seq, isAcknowledged }: { readonly seq: number; readonly isAcknowledged: boolean },
  ): Promise<void> {
    if (!isAcknowledged && seq % acknowledgedEvery !== 0) {
      if (!this.#client.publish(subject, payload)) throw new Error(`${subject}: not sent`);
      return;
    }
    while (this.#open.size >= openMax) await Promise.race(this.#open);
    if (this.#failure !== undefined) throw this.#failure;
    const stored = publishInto(this.#client, subject, payload, { stream, timeoutMs }).then(
      answer => {
        this.#open.delete(stored);
        if (answer.status === 'accepted' && answer.seq === seq) return;
        this.#failure ??= new Error(`message ${seq} of ${stream}: ${JSON.stringify(answer)}`);
      },
    );
    this.#open.add(stored);
  }
}

async function lastSeqs(client: NatsClient): Promise<number[]> {
  const seqs: number[] = [];
  for (let index = 0; index < layout.streamCount; index += 1) {
    const operation = `STREAM.INFO.${logStreamName(layout, index)}`;
    const answer = await askJetStream(client, operation, undefined, timeoutMs);
    const state = answer.status === 'answered' ? answer.value.state : undefined;
    if (!isObject(state) || typeof state.last_seq !== 'number') {
      throw new Error(`${operation}: ${JSON.stringify(answer)}`);
    }
    seqs.push(state.last_seq);
  }
  return seqs;
}
