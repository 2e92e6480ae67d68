/** What the model answers about consumers: it makes push consumers, and shows and ends them. */

import type { SimNatsAssets } from './sim-nats-assets.ts';
import { natsError } from './sim-nats-config.ts';
import { SimNatsConsumer, type SimNatsConsumerConfig } from './sim-nats-consumer.ts';
import type { SimNatsAnswer } from './sim-nats-packet.ts';
import { numberIn, type SimNatsApiRequest, streamNotFound, textIn } from './sim-nats-request.ts';
import {
  type SimNatsReader,
  type SimNatsStream,
  type StreamReplica,
  timeText,
} from './sim-nats-stream.ts';
import { isAtLeast } from './sim-nats-version.ts';

type Body = Readonly<Record<string, unknown>>;

const notFound = natsError(404, 10014, 'consumer not found');
const namesMax = 1_024;
const inactiveDefault = 5_000_000_000;

/** Answers at a server that leads the cluster: at once, or `later` when members have to agree. */
export function answerConsumers(
  assets: SimNatsAssets,
  request: SimNatsApiRequest,
  later: SimNatsAnswer,
): object | undefined {
  const { verb, stream: name, rest = '' } = request.call;
  const stream = assets.streams.get(name);
  if (stream === undefined) return { error: streamNotFound };
  const known = stream.consumers.get(rest);
  if (verb === 'CONSUMER.INFO') return known ? viewOf(stream, known) : { error: notFound };
  if (verb === 'CONSUMER.NAMES') return namesIn(stream);
  const isRemoval = verb === 'CONSUMER.DELETE';
  const deed = () => (isRemoval ? remove(stream, rest) : create(assets, stream, request));
  assets.decide(request.server, deed, later);
  return undefined;
}

function remove({ consumers }: SimNatsStream, name: string): object {
  const known = consumers.get(name);
  if (known === undefined) return { error: notFound };
  known.close();
  return { success: true };
}

function namesIn({ consumers }: SimNatsStream): object {
  const names = [...consumers.keys()].sort();
  return { total: names.length, offset: 0, limit: namesMax, consumers: names };
}

function create(assets: SimNatsAssets, stream: SimNatsStream, request: SimNatsApiRequest): object {
  const asked = (request.body.config ?? {}) as Body;
  const config = readConfig(asked);
  if (config.deliver_subject === '') {
    return { error: natsError(400, 10012, 'the model has consumers that push only') };
  }
  const replica = placeFor(stream);
  if (replica === undefined) return { error: natsError(503, 10008, 'no replica takes it') };
  const name = nameOf(assets, request, asked);
  stream.consumers.get(name)?.close();
  const consumer: SimNatsConsumer = new SimNatsConsumer({
    stream,
    replica,
    name,
    config,
    shown: shownConfig(assets, asked),
    send: (subject, packet) => assets.deliver(replica.server, subject, packet),
    onEnd: () => {
      if (stream.consumers.get(name) === consumer) stream.consumers.delete(name);
    },
  });
  stream.consumers.set(name, consumer);
  const view = viewOf(stream, consumer);
  // Whoever asked hears of it before the first message, as they come from the same server.
  stream.home.net.scheduler.schedule({
    delayMs: 1,
    kind: 'nats-consumer',
    task: () => consumer.deliver(),
  });
  return view;
}

/** One of the servers that hold the stream. */
function placeFor({ group, home }: SimNatsStream): StreamReplica | undefined {
  return home.random.pick(
    group.replicas.filter(({ server }) => server.isReady && home.net.isRunning(server)),
  );
}

function nameOf({ home }: SimNatsAssets, { call }: SimNatsApiRequest, asked: Body): string {
  const inSubject = call.rest?.split('.')[0];
  return textIn(asked, 'name') ?? textIn(asked, 'durable_name') ?? inSubject ?? home.random.hex(4);
}

function readConfig(asked: Body): SimNatsConsumerConfig {
  const filter = textIn(asked, 'filter_subject');
  const several = asked.filter_subjects;
  const filters = Array.isArray(several) ? several.map(String) : [];
  return {
    deliver_subject: textIn(asked, 'deliver_subject') ?? '',
    deliver_policy: textIn(asked, 'deliver_policy') ?? 'all',
    opt_start_seq: numberIn(asked, 'opt_start_seq'),
    filters: filter !== undefined ? [filter] : filters.length > 0 ? filters : ['>'],
    headers_only: asked.headers_only === true,
    idle_heartbeat: numberIn(asked, 'idle_heartbeat'),
    inactive_threshold: numberIn(asked, 'inactive_threshold') || inactiveDefault,
  };
}

/** As a server shows it, without what its version does not know. */
function shownConfig({ home }: SimNatsAssets, asked: Body): object {
  const { filter_subjects: _, ...rest } = asked;
  const known = isAtLeast(home.version, '2.10.0') ? asked : rest;
  const defaults = {
    deliver_policy: 'all',
    ack_policy: 'none',
    max_deliver: -1,
    replay_policy: 'instant',
    inactive_threshold: inactiveDefault,
    num_replicas: 0,
  };
  return { ...defaults, ...known };
}

function viewOf(stream: SimNatsStream, consumer: SimNatsReader): object {
  const { delivered, name, createdMs, shown, pending, replica } = consumer;
  const cluster = { name: 'simulated', leader: replica.server.name };
  return {
    stream_name: stream.config.name,
    name,
    created: timeText(createdMs),
    config: shown,
    delivered,
    ack_floor: delivered,
    num_ack_pending: 0,
    num_redelivered: 0,
    num_waiting: 0,
    num_pending: pending,
    push_bound: true,
    ...(stream.home.isClustered ? { cluster } : {}),
  };
}
