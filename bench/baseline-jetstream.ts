/**
 * What appending to NATS streams costs without Troupe: a message of the size of a turn's, published
 * with the sequence that its subject is expected to end at, by the client package alone. As many
 * streams, subjects and replicas as the figures have, on the same servers. A subject takes one
 * append at a time, since the next one has to know the sequence of the one before.
 */
import { randomUUID } from 'node:crypto';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { answerAsProbe, callsPerSecond, latenciesUs, quantile, type Sample } from './measure.ts';
import { clusterName, type ServerCount, withServers } from './nats-servers.ts';

/** The message of a turn of `account` with one record, as `test/unit/bench` holds it to be. */
export const turnMessageBytes = 220;

const streamCount = 16;
const timeout = 10_000;

/** One subject, and the sequence of its last message. */
class Subject {
  readonly #wire: NatsConnection;
  readonly #subject: string;
  readonly #payload = Buffer.alloc(turnMessageBytes, 7);
  #seq = 0;

  constructor(wire: NatsConnection, subject: string) {
    this.#wire = wire;
    this.#subject = subject;
  }

  async append(): Promise<void> {
    const expected = headers();
    expected.set('Nats-Expected-Last-Subject-Sequence', String(this.#seq));
    const options = { timeout, headers: expected };
    const answer = await this.#wire.request(this.#subject, this.#payload, options);
    const { seq, error } = answer.json<{ seq?: number; error?: unknown }>();
    if (error !== undefined || seq === undefined) throw new Error(`refused: ${answer.string()}`);
    this.#seq = seq;
  }
}

async function withSubjects(
  servers: ServerCount,
  count: number,
  use: (subjects: readonly Subject[]) => Promise<Sample>,
): Promise<Sample> {
  return withServers(servers, async urls => {
    const wire = await connect({ servers: [...urls] });
    try {
      await makeStreams(wire, servers);
      const run = randomUUID().slice(0, 8);
      const names = Array.from(
        { length: count },
        (_, index) => `bare.${index % streamCount}.account.${index}-${run}`,
      );
      return await use(names.map(name => new Subject(wire, name)));
    } finally {
      await wire.close();
    }
  });
}

async function makeStreams(wire: NatsConnection, replicas: ServerCount): Promise<void> {
  for (let index = 0; index < streamCount; index += 1) {
    const name = `${clusterName}_bare_${index}`;
    const config = {
      name,
      subjects: [`bare.${index}.>`],
      storage: 'file',
      retention: 'limits',
      discard: 'new',
      num_replicas: replicas,
      max_msgs_per_subject: -1,
      allow_direct: true,
    };
    const subject = `$JS.API.STREAM.CREATE.${name}`;
    const answer = await wire.request(subject, JSON.stringify(config), { timeout });
    const { error } = answer.json<{ error?: unknown }>();
    if (error !== undefined) throw new Error(`${name}: ${answer.string()}`);
  }
}

async function oneInFlight(servers: ServerCount): Promise<Sample> {
  return withSubjects(servers, streamCount, async subjects => {
    // By turns, since a stream may have its leader nearer than another.
    let next = 0;
    const latencies = await latenciesUs(async () => subjects[next++ % streamCount]?.append());
    return { [`append-r${servers}-1`]: quantile(latencies, 0.5) };
  });
}

async function manySubjects(): Promise<Sample> {
  return withSubjects(3, 256, async subjects => {
    const rate = await callsPerSecond(256, async caller => subjects[caller]?.append());
    return { 'append-r3-256': rate };
  });
}

if (import.meta.main) {
  await answerAsProbe({
    'append-r1-1': () => oneInFlight(1),
    'append-r3-1': () => oneInFlight(3),
    'append-r3-256': manySubjects,
  });
}
