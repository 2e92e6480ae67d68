/**
 * The API of JetStream in the model: which file answers what. Every answer has the form that
 * servers 2.9.10 and 2.15.1 were seen to give.
 */

import type { SimNatsAssets } from './sim-nats-assets.ts';
import { answerCluster } from './sim-nats-cluster-api.ts';
import { natsError } from './sim-nats-config.ts';
import { answerConsumers } from './sim-nats-consumer-api.ts';
import { readJson, type SimNatsAnswer } from './sim-nats-packet.ts';
import { failure, type SimNatsApiRequest, streamNotFound } from './sim-nats-request.ts';
import { answerStream } from './sim-nats-stream-api.ts';

/** Answers a request at the server that it was sent to. */
export function answerApi(
  assets: SimNatsAssets,
  { call, server }: Pick<SimNatsApiRequest, 'call' | 'server'>,
  answer: SimNatsAnswer,
): void {
  const { type, verb, packet } = call;
  // What is no request at all is answered by nobody, and counts as heard.
  if (verb === '') return;
  const typed: SimNatsAnswer = body => answer({ type, ...body });
  const body = readJson(packet.payload);
  const now =
    body === undefined
      ? failure(verb, natsError(400, 10025, 'invalid JSON'))
      : answerNow(assets, { call, server, body }, typed);
  if (now !== undefined) typed(now);
}

/** What can be answered at once; for all else `later` is called. */
function answerNow(
  assets: SimNatsAssets,
  request: SimNatsApiRequest,
  later: SimNatsAnswer,
): object | undefined {
  const { verb, isForStreamLeader, stream: name } = request.call;
  if (verb.startsWith('CONSUMER.')) return answerConsumers(assets, request, later);
  if (!isForStreamLeader) return answerCluster(assets, request, later);
  const stream = assets.streams.get(name);
  return stream === undefined
    ? failure(verb, streamNotFound)
    : answerStream(stream, request, later);
}
