/** What the leader of the whole cluster answers in the model: which streams there are. */

import type { SimNatsAssets } from './sim-nats-assets.ts';
import {
  completeConfig,
  isSameConfig,
  natsError,
  type SimNatsError,
  type SimNatsStreamConfig,
} from './sim-nats-config.ts';
import type { SimNatsAnswer } from './sim-nats-packet.ts';
import { numberIn, type SimNatsApiRequest, streamNotFound, textIn } from './sim-nats-request.ts';
import { SimNatsStream } from './sim-nats-stream.ts';
import { streamView } from './sim-nats-stream-api.ts';
import { overlaps } from './sim-nats-subjects.ts';
import { isAtLeast } from './sim-nats-version.ts';

const namesMax = 1_024;
const listMax = 256;

/** Answers at a server that leads the cluster: at once, or `later` when members have to agree. */
export function answerCluster(
  assets: SimNatsAssets,
  request: SimNatsApiRequest,
  later: SimNatsAnswer,
): object | undefined {
  const { verb } = request.call;
  if (verb === 'INFO') return accountOf(assets);
  if (verb === 'STREAM.NAMES' || verb === 'STREAM.LIST') return list(assets, request);
  const refusal = nameRefusal(request);
  if (refusal !== undefined) return { error: refusal };
  const deed = { 'STREAM.CREATE': create, 'STREAM.UPDATE': update, 'STREAM.DELETE': remove }[verb];
  if (deed !== undefined) assets.decide(request.server, () => deed(assets, request), later);
  return undefined;
}

function accountOf({ streams, home }: SimNatsAssets): object {
  let storage = 0;
  let consumers = 0;
  for (const { group, consumers: its } of streams.values()) {
    consumers += its.size;
    const [leader] = group.serving();
    if (leader !== undefined) storage += leader.applied;
  }
  const isNew = isAtLeast(home.version, '2.11.0');
  const reserved = isNew ? { reserved_memory: 0, reserved_storage: 0 } : {};
  return {
    memory: 0,
    storage,
    ...reserved,
    streams: streams.size,
    consumers,
    limits: {
      max_memory: -1,
      max_storage: -1,
      max_streams: -1,
      max_consumers: -1,
      max_ack_pending: -1,
      memory_max_stream_bytes: -1,
      storage_max_stream_bytes: -1,
      max_bytes_required: false,
    },
    api: { ...(isNew ? { level: 5 } : {}), total: 0, errors: 0 },
  };
}

function list({ streams }: SimNatsAssets, { call, body }: SimNatsApiRequest): object {
  const filter = textIn(body, 'subject');
  const found = [...streams.values()]
    .filter(({ config }) => {
      return filter === undefined || config.subjects.some(each => overlaps(each, filter));
    })
    .sort((left, right) => (left.config.name < right.config.name ? -1 : 1));
  const offset = Math.min(numberIn(body, 'offset'), found.length);
  const isNames = call.verb === 'STREAM.NAMES';
  const limit = isNames ? namesMax : listMax;
  const page = found.slice(offset, offset + limit);
  const views = isNames ? page.map(({ config }) => config.name) : page.flatMap(viewOf);
  // Nothing at all is null, as servers write it.
  return { total: found.length, offset, limit, streams: views.length === 0 ? null : views };
}

function viewOf(stream: SimNatsStream): object[] {
  const [leader] = stream.group.serving();
  return leader === undefined ? [] : [streamView(stream, leader)];
}

function nameRefusal({ call, body }: SimNatsApiRequest): SimNatsError | undefined {
  if (call.verb === 'STREAM.DELETE') return undefined;
  if (call.packet.payload.length === 0) return natsError(400, 10025, 'invalid JSON');
  const isSame = body.name === call.stream;
  return isSame
    ? undefined
    : natsError(400, 10056, 'stream name in subject does not match request');
}

function create(assets: SimNatsAssets, { body }: SimNatsApiRequest): object {
  const { home, streams } = assets;
  const config = completeConfig(body, home.version);
  if ('err_code' in config) return { error: config };
  const known = streams.get(config.name);
  if (known !== undefined) {
    const isMade = home.isClustered ? {} : { did_create: true };
    if (isSameConfig(known.config, config)) return { ...viewOf(known)[0], ...isMade };
    const detail = 'stream name already in use with a different configuration';
    return { error: natsError(400, 10058, detail) };
  }
  const error = overlapRefusal(assets, config) ?? replicasRefusal(assets, config);
  if (error !== undefined) return { error };
  const servers = home.random.shuffle(home.net.servers).slice(0, config.num_replicas);
  const stream = new SimNatsStream(home, config, servers);
  streams.set(config.name, stream);
  assets.forgetSubjects();
  return { ...viewOf(stream)[0], did_create: true };
}

function update(assets: SimNatsAssets, { body }: SimNatsApiRequest): object {
  const config = completeConfig(body, assets.home.version);
  if ('err_code' in config) return { error: config };
  const known = assets.streams.get(config.name);
  if (known === undefined) return { error: streamNotFound };
  const error = updateRefusal(known.config, config) ?? overlapRefusal(assets, config);
  if (error !== undefined) return { error };
  known.config = config;
  assets.forgetSubjects();
  return viewOf(known)[0] ?? { error: natsError(503, 10008, 'no leader') };
}

function remove(assets: SimNatsAssets, { call }: SimNatsApiRequest): object {
  const known = assets.streams.get(call.stream);
  if (known === undefined) return { error: streamNotFound };
  known.close();
  assets.streams.delete(call.stream);
  assets.forgetSubjects();
  return { success: true };
}

function overlapRefusal(
  { streams }: SimNatsAssets,
  { name, subjects }: SimNatsStreamConfig,
): SimNatsError | undefined {
  const isTaken = [...streams.values()].some(
    ({ config }) =>
      config.name !== name &&
      config.subjects.some(each => subjects.some(subject => overlaps(each, subject))),
  );
  return isTaken ? natsError(400, 10065, 'subjects overlap with an existing stream') : undefined;
}

function replicasRefusal(
  { home }: SimNatsAssets,
  { num_replicas }: SimNatsStreamConfig,
): SimNatsError | undefined {
  if (num_replicas > 1 && !home.isClustered) {
    return natsError(500, 10074, 'replicas > 1 not supported in non-clustered mode');
  }
  return num_replicas > home.net.servers.length
    ? natsError(400, 10005, 'no suitable peers for placement')
    : undefined;
}

function updateRefusal(
  old: SimNatsStreamConfig,
  config: SimNatsStreamConfig,
): SimNatsError | undefined {
  const fixed = ['storage', 'num_replicas'] as const;
  const changed = fixed.find(each => old[each] !== config[each]);
  if (changed === undefined) return undefined;
  const what = changed === 'storage' ? 'storage type' : changed;
  return natsError(500, 10052, `stream configuration update can not change ${what}`);
}
