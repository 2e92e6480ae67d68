/**
 * What the leader of a stream does with a message that is published to it: checks what the sender
 * expects, has the replicas agree, and acknowledges. Versions differ in what they check first, and
 * the oldest does not look at what is in flight, so that of several rivals more than one may win.
 */
import { natsError, type SimNatsError } from './sim-nats-config.ts';
import type { StreamOp } from './sim-nats-machine.ts';
import { meetingOfCode } from './sim-nats-met.ts';
import type { SimNatsAnswer, SimNatsPacket } from './sim-nats-packet.ts';
import {
  isOutdated,
  machineOf,
  type SimNatsStream,
  type StreamReplica,
  storeOf,
} from './sim-nats-stream.ts';
import { isAtLeast } from './sim-nats-version.ts';

const lateMs = { low: 2_000, high: 15_000 } as const;
const flushMs = { low: 0.2, high: 1.2 } as const;
/** Nobody waits for longer for an answer. */
const givenUpMs = 4_000;

/** Hands a message to the leader of a stream. */
export function publishTo(
  stream: SimNatsStream,
  leader: StreamReplica,
  packet: SimNatsPacket,
  answer: SimNatsAnswer,
): void {
  const { switches, net, random } = stream.home;
  const published = { packet, answer, sentMs: net.nowMs };
  if (switches.fires('lost-write')) return;
  if (!switches.fires('late-write')) {
    accept(stream, leader, published);
    return;
  }
  net.scheduler.schedule({
    delayMs: random.between(lateMs.low, lateMs.high),
    kind: 'nats-late-write',
    task: () => {
      if (stream.group.isServing(leader)) accept(stream, leader, published);
    },
  });
}

interface Published {
  readonly packet: SimNatsPacket;
  readonly answer: SimNatsAnswer;
  readonly sentMs: number;
}

function accept(
  stream: SimNatsStream,
  leader: StreamReplica,
  { packet, answer, sentMs }: Published,
): void {
  const { name } = stream.config;
  const { switches, net, met } = stream.home;
  const found = judge(stream, leader, packet);
  if (found === 'silence') return;
  if (found !== undefined) {
    const isThere = 'seq' in found;
    const meeting = isThere ? undefined : meetingOfCode(found.err_code);
    if (meeting !== undefined) met(meeting);
    answer(
      isThere
        ? { stream: name, seq: found.seq, duplicate: true }
        : { error: found, stream: name, seq: 0 },
    );
    return;
  }
  const op = appendOf(stream, packet);
  const landed = fly(stream, leader, op);
  const isAckLost = switches.fires('lost-ack');
  if (isOutdated(stream, leader)) met('old-leader-write');
  stream.group.propose(leader, op, result => {
    landed();
    if ('seq' in result && net.nowMs - sentMs >= givenUpMs) met('late-landing');
    if (isAckLost) return;
    if ('seq' in result) afterFlush(stream, leader, () => answer({ stream: name, ...result }));
    else if ('error' in result) answer({ ...result, stream: name, seq: 0 });
  });
}

/** One that has it alone waits for its disk; with several the way between them is what takes. */
function afterFlush(stream: SimNatsStream, { server }: StreamReplica, task: () => void): void {
  const { net, random } = stream.home;
  const isAlone = stream.group.replicas.length === 1;
  const { life } = server;
  net.scheduler.schedule({
    delayMs: isAlone ? random.between(flushMs.low, flushMs.high) : 0,
    kind: 'nats-flushed',
    task: () => {
      if (server.life === life) task();
    },
  });
}

function appendOf(stream: SimNatsStream, packet: SimNatsPacket): StreamOp & { kind: 'append' } {
  const { subject, payload, headers } = packet;
  const rollup = headers['Nats-Rollup']?.toLowerCase();
  return {
    kind: 'append',
    message: { subject, payload, headers, timeMs: stream.home.net.nowMs },
    rollup: rollup === 'sub' || rollup === 'all' ? rollup : undefined,
    messageId: headers['Nats-Msg-Id'],
  };
}

/** Notes what is in flight; returns the way to strike it off. */
function fly(
  stream: SimNatsStream,
  leader: StreamReplica,
  { message: { subject }, messageId = '' }: StreamOp & { kind: 'append' },
): () => void {
  const { subjects, messageIds } = stream.inFlightAt(leader);
  subjects.set(subject, (subjects.get(subject) ?? 0) + 1);
  if (messageId !== '') messageIds.add(messageId);
  return () => {
    const left = (subjects.get(subject) ?? 1) - 1;
    if (left === 0) subjects.delete(subject);
    else subjects.set(subject, left);
    messageIds.delete(messageId);
  };
}

type Judgement = SimNatsError | { readonly seq: number } | 'silence' | undefined;

function judge(stream: SimNatsStream, leader: StreamReplica, packet: SimNatsPacket): Judgement {
  const { version } = stream.home;
  const { name } = stream.config;
  const { 'Nats-Expected-Stream': expected = name } = packet.headers;
  if (expected !== name) return natsError(400, 10060, 'expected stream does not match');
  const [first, second] = isDuplicateFirst(stream)
    ? [duplicateOf, conflictOf]
    : [conflictOf, duplicateOf];
  const found = first(stream, leader, packet) ?? second(stream, leader, packet);
  if (found !== undefined) return found;
  const { 'Nats-Rollup': rollup, 'Nats-TTL': ttl } = packet.headers;
  if (rollup !== undefined) {
    const refusal = rollupRefusal(stream, rollup);
    if (refusal !== undefined) return refusal;
  }
  if (ttl !== undefined && isAtLeast(version, '2.11.0') && stream.config.allow_msg_ttl !== true) {
    return natsError(400, 10166, 'per-message TTL is disabled');
  }
  return sizeRefusal(stream, packet);
}

/** Measured: 2.9 always, 2.10 with one replica, the newest with several. */
function isDuplicateFirst({ home, group }: SimNatsStream): boolean {
  const isAlone = group.replicas.length === 1;
  if (!isAtLeast(home.version, '2.10.0')) return true;
  return isAtLeast(home.version, '2.11.0') ? !isAlone : isAlone;
}

function duplicateOf(
  stream: SimNatsStream,
  leader: StreamReplica,
  { headers }: SimNatsPacket,
): Judgement {
  const { 'Nats-Msg-Id': id = '' } = headers;
  const { switches, version } = stream.home;
  const { messageIds, store } = machineOf(leader);
  if (switches.fires('false-duplicate')) return { seq: store.lastSeq };
  const inFlight = stream.inFlightAt(leader).messageIds;
  const isInProcess = id !== '' && inFlight.has(id) && isAtLeast(version, '2.11.0');
  if (switches.fires('duplicate-in-process') || isInProcess) {
    return natsError(409, 10158, 'duplicate message id is in process');
  }
  return id === '' ? undefined : messageIds.get(id);
}

function conflictOf(
  stream: SimNatsStream,
  leader: StreamReplica,
  packet: SimNatsPacket,
): Judgement {
  const { headers } = packet;
  const machine = machineOf(leader);
  const lastId = headers['Nats-Expected-Last-Msg-Id'];
  if (lastId !== undefined && lastId !== machine.lastMessageId) {
    return natsError(400, 10070, `wrong last msg ID: ${machine.lastMessageId}`);
  }
  const last = headers['Nats-Expected-Last-Sequence'];
  if (last !== undefined) {
    const lastSeq = machine.store.lastSeq + sum(knownInFlight(stream, leader).values());
    if (Number(last) !== lastSeq) return wrongSequence(lastSeq);
  }
  return subjectConflict(stream, leader, packet);
}

function subjectConflict(
  stream: SimNatsStream,
  leader: StreamReplica,
  { subject: own, headers }: SimNatsPacket,
): Judgement {
  const { switches, version } = stream.home;
  const expected = headers['Nats-Expected-Last-Subject-Sequence'];
  if (expected === undefined) return undefined;
  const other = headers['Nats-Expected-Last-Subject-Sequence-Subject'];
  const subject = other !== undefined && isAtLeast(version, '2.12.0') ? other : own;
  const store = storeOf(stream, leader);
  const inFlight = knownInFlight(stream, leader);
  if (inFlight.has(subject) || switches.fires('rival-in-flight')) {
    if (isAtLeast(version, '2.12.0')) return natsError(400, 10164, 'wrong last sequence');
    return wrongSequence(store.lastSeq + sum(inFlight.values()));
  }
  const lastSeq = store.last(subject)?.seq ?? 0;
  return Number(expected) === lastSeq ? undefined : wrongSequence(lastSeq);
}

const none: ReadonlyMap<string, number> = new Map();

/** What a leader takes into account beside what is stored: nothing, before 2.10.23. */
function knownInFlight(stream: SimNatsStream, leader: StreamReplica): ReadonlyMap<string, number> {
  return isAtLeast(stream.home.version, '2.10.23') ? stream.inFlightAt(leader).subjects : none;
}

function wrongSequence(seq: number): SimNatsError {
  return natsError(400, 10071, `wrong last sequence: ${seq}`);
}

function rollupRefusal({ home, config }: SimNatsStream, rollup: string): Judgement {
  if (!config.allow_rollup_hdrs) return natsError(500, 10111, 'rollup not permitted');
  if (['sub', 'all'].includes(rollup.toLowerCase())) return undefined;
  if (!isAtLeast(home.version, '2.10.0')) return 'silence';
  return natsError(500, 10111, `rollup value invalid: ${JSON.stringify(rollup)}`);
}

function sizeRefusal({ config }: SimNatsStream, { payload }: SimNatsPacket): Judgement {
  const { max_msg_size } = config;
  return max_msg_size > 0 && payload.length > max_msg_size
    ? natsError(400, 10054, 'message size exceeds maximum allowed')
    : undefined;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
