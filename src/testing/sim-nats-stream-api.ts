/** What the leader of a stream answers in the model: its state, single messages, purges. */

import { natsError } from './sim-nats-config.ts';
import type { StreamOp, StreamResult } from './sim-nats-machine.ts';
import { headerText, type SimNatsAnswer } from './sim-nats-packet.ts';
import { failure, numberIn, type SimNatsApiRequest, textIn } from './sim-nats-request.ts';
import type { KeptMessage } from './sim-nats-store.ts';
import {
  isOutdated,
  type SimNatsStream,
  type StreamReplica,
  storeOf,
  timeText,
} from './sim-nats-stream.ts';
import { isAtLeast } from './sim-nats-version.ts';

const subjectsMax = 100_000;
const noTime = '0001-01-01T00:00:00Z';
const badRequest = natsError(400, 10003, 'bad request');

/**
 * Answers at a server that leads the stream, or did when it was asked: at once, or `later` when the
 * replicas have to agree.
 */
export function answerStream(
  stream: SimNatsStream,
  request: SimNatsApiRequest,
  later: SimNatsAnswer,
): object | undefined {
  const leader = stream.group.serving().find(each => each.server === request.server);
  if (leader === undefined) return undefined;
  const { verb } = request.call;
  const isRead = verb === 'STREAM.INFO' || verb === 'STREAM.MSG.GET';
  if (isRead && isOutdated(stream, leader)) stream.home.met('old-leader-read');
  if (verb === 'STREAM.INFO') return infoOf(stream, leader, request);
  if (verb === 'STREAM.MSG.GET') return messageIn(stream, leader, request);
  if (verb === 'STREAM.PURGE') return purge(stream, leader, { request, later });
  if (verb === 'STREAM.MSG.DELETE') return remove(stream, leader, { request, later });
  return stepDown(stream);
}

/** What a server says of a stream when it made, changed or lists it. */
export function streamView(stream: SimNatsStream, replica: StreamReplica): object {
  const view = {
    config: stream.config,
    created: timeText(stream.createdMs),
    state: stateOf(stream, replica),
    ...(stream.home.isClustered ? clusterOf(stream, replica) : {}),
  };
  return withTime(stream, view);
}

interface Answered {
  readonly request: SimNatsApiRequest;
  readonly later: SimNatsAnswer;
}

function infoOf(stream: SimNatsStream, leader: StreamReplica, { body }: SimNatsApiRequest): object {
  const filter = textIn(body, 'subjects_filter');
  const store = storeOf(stream, leader);
  const counts = filter === undefined ? [] : store.counts(filter);
  const offset = Math.min(numberIn(body, 'offset'), counts.length);
  const page = counts.slice(offset, offset + subjectsMax);
  const gaps = body.deleted_details === true ? store.gaps() : [];
  const state = {
    ...stateOf(stream, leader),
    ...(page.length === 0 ? {} : { subjects: Object.fromEntries(page) }),
    ...(gaps.length === 0 ? {} : { deleted: gaps }),
  };
  const limit = counts.length === 0 ? 0 : subjectsMax;
  const cluster = clusterOf(stream, leader);
  return { total: counts.length, offset, limit, ...streamView(stream, leader), ...cluster, state };
}

function stateOf(stream: SimNatsStream, replica: StreamReplica): object {
  const store = storeOf(stream, replica);
  const { firstSeq, lastSeq, count } = store;
  const oldest = store.oldest();
  const deleted = count === 0 ? 0 : lastSeq - firstSeq + 1 - count;
  return {
    messages: count,
    bytes: store.bytes,
    first_seq: firstSeq,
    first_ts: oldest === undefined ? noTime : timeText(oldest.timeMs),
    last_seq: lastSeq,
    last_ts: lastSeq === 0 ? noTime : timeText(store.lastTimeMs),
    ...(store.subjectCount === 0 ? {} : { num_subjects: store.subjectCount }),
    ...(deleted === 0 ? {} : { num_deleted: deleted }),
    consumer_count: stream.consumers.size,
  };
}

function clusterOf(stream: SimNatsStream, leader: StreamReplica): object {
  const { home, group } = stream;
  if (!home.isClustered) {
    return isAtLeast(home.version, '2.11.0') ? { cluster: { leader: leader.server.name } } : {};
  }
  const replicas = group.replicas
    .filter(each => each !== leader)
    .map(each => {
      const isOffline = !home.net.sees(leader.server, each.server);
      return {
        name: each.server.name,
        current: each.applied === leader.applied,
        ...(isOffline ? { offline: true } : {}),
        active: 0,
        ...(each.applied === leader.applied ? {} : { lag: leader.applied - each.applied }),
      };
    });
  const others = replicas.length === 0 ? {} : { replicas };
  return { cluster: { name: 'simulated', leader: leader.server.name, ...others } };
}

function withTime({ home }: SimNatsStream, view: object): object {
  if (!isAtLeast(home.version, '2.11.0')) return view;
  return { ...view, ts: timeText(home.net.nowMs) };
}

function messageIn(
  stream: SimNatsStream,
  leader: StreamReplica,
  { body }: SimNatsApiRequest,
): object {
  const seq = numberIn(body, 'seq');
  const last = textIn(body, 'last_by_subj');
  const next = textIn(body, 'next_by_subj');
  const isNothing = seq === 0 && last === undefined && next === undefined;
  if (isNothing || (last !== undefined && (seq > 0 || next !== undefined))) {
    return { error: badRequest };
  }
  const store = storeOf(stream, leader);
  const found =
    last !== undefined
      ? store.last(last)
      : next === undefined
        ? store.get(seq)
        : store.next(next, Math.max(1, seq));
  if (found === undefined) return { error: natsError(404, 10037, 'no message found') };
  return { message: messageView(found) };
}

function messageView({ subject, seq, headers, payload, timeMs }: KeptMessage): object {
  const text = Object.keys(headers).length === 0 ? undefined : headerText(headers);
  return {
    subject,
    seq,
    ...(text === undefined ? {} : { hdrs: Buffer.from(text).toString('base64') }),
    ...(payload.length === 0 ? {} : { data: Buffer.from(payload).toString('base64') }),
    time: timeText(timeMs),
  };
}

function purge(stream: SimNatsStream, leader: StreamReplica, { request, later }: Answered) {
  const { verb } = request.call;
  const filter = textIn(request.body, 'filter');
  const [seq, keep] = [numberIn(request.body, 'seq'), numberIn(request.body, 'keep')];
  if (stream.config.deny_purge) {
    return failure(verb, natsError(500, 10110, 'stream purge not permitted'));
  }
  if (seq > 0 && keep > 0) return failure(verb, badRequest);
  const wanted = { filter, seq: seq || undefined, keep: keep || undefined };
  propose(stream, leader, { kind: 'purge', filter: wanted, timeMs: now(stream) }, result => {
    if ('purged' in result) later({ success: true, purged: result.purged });
  });
  return undefined;
}

function remove(stream: SimNatsStream, leader: StreamReplica, { request, later }: Answered) {
  const seq = numberIn(request.body, 'seq');
  if (stream.config.deny_delete) {
    return { error: natsError(500, 10057, 'message delete not permitted') };
  }
  if (storeOf(stream, leader).get(seq) === undefined) {
    return { error: natsError(400, 10043, `sequence ${seq} not found`) };
  }
  propose(stream, leader, { kind: 'delete', seq, timeMs: now(stream) }, result => {
    later('error' in result ? { error: result.error } : { success: true });
  });
  return undefined;
}

function stepDown(stream: SimNatsStream): object {
  if (!stream.home.isClustered) {
    return { error: natsError(503, 10010, 'JetStream clustering support required') };
  }
  stream.group.stepDown();
  return { success: true };
}

function propose(
  stream: SimNatsStream,
  leader: StreamReplica,
  op: StreamOp,
  done: (result: StreamResult) => void,
): void {
  const isAckLost = stream.home.switches.fires('lost-ack');
  stream.group.propose(leader, op, result => {
    if (!isAckLost) done(result);
  });
}

function now(stream: SimNatsStream): number {
  return stream.home.net.nowMs;
}
