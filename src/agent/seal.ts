/** The operations of a turn's record: what changed, what was consumed, what is promised. Pure. */
import type { Envelope, Priority } from '../core/envelope.ts';
import type { AgentImage } from '../state/agent-image.ts';
import type { InboxEntry, OutboxEntry, StoredReply } from '../state/entries.ts';
import { numberKey } from '../state/image.ts';
import { diff } from '../state/patch.ts';
import type { Op, RecordOrigin } from '../state/record.ts';
import type { Committer } from './commit.ts';
import type { Contract } from './contract.ts';
import type { AgentHost } from './host.ts';
import type { Sending } from './sending.ts';

const lanes = { high: 0, normal: 1, low: 2 } as const;

/** The number of a lane. */
export function laneOf(priority: Priority): number {
  return lanes[priority];
}

/** The change of state, as a patch or whole; nothing when nothing changed. */
export function stateOps(
  committer: Committer,
  state: unknown,
  contract: Contract,
  hasOthers: boolean,
): Op[] {
  const { image } = committer;
  if (committer.needsWhole) {
    const isUnchanged = state === image.state && (image.hasState || !hasOthers);
    return isUnchanged && image.stateVersion === contract.stateVersion && !hasOthers
      ? []
      : [['whole', state]];
  }
  if (state === image.state) return [];
  const change = diff(image.state, state);
  return change === undefined ? [] : [['state', change]];
}

/** Adds the marks that a message was delivered: its number, and its key if it has one. */
export function markDelivered(
  ops: Op[],
  envelope: Envelope,
  reply: StoredReply | null,
  fingerprint: string | undefined,
): void {
  const { numbering, idempotencyKey, priority } = envelope;
  if (numbering !== undefined) {
    const kept = idempotencyKey === undefined ? reply : null;
    ops.push([
      'consume',
      numbering.sender,
      laneOf(priority),
      numbering.number,
      numbering.floor,
      kept,
    ]);
  }
  if (idempotencyKey !== undefined) ops.push(['key', idempotencyKey, fingerprint ?? '', reply]);
}

/** What led to a message. */
export type SendCause = Pick<Envelope, 'correlationId' | 'trace'>;

/** Promised messages, numbered behind those that were promised before. */
export function sendOps(
  image: AgentImage,
  sends: readonly Sending[],
  cause: SendCause,
  host: AgentHost,
): Op[] {
  if (sends.length === 0) return [];
  const ops: Op[] = [];
  const used = new Map<string, number>();
  const at = host.clock.now();
  for (const sending of sends) {
    const { id = host.nextId(), type, key, action, input, priority, timeoutMs } = sending;
    if (sending.guarantee !== 'exactly_once') continue;
    if (image.lineage === '' && ops.length === 0) ops.push(['lineage', host.lineage]);
    const numbered = numberKey({ type, key, priority });
    const number = (used.get(numbered) ?? image.numbers?.get(numbered) ?? 0) + 1;
    used.set(numbered, number);
    const { correlationId, trace } = cause;
    const entry: OutboxEntry = {
      id,
      type,
      key,
      action,
      input,
      priority,
      number,
      at,
      correlationId,
      ...(timeoutMs === undefined ? {} : { until: at + timeoutMs }),
      ...(trace === undefined ? {} : { trace }),
    };
    ops.push(['send', entry]);
  }
  return ops;
}

/** What a record keeps of the message that led to it. */
export function originOf(envelope: Envelope): RecordOrigin {
  const { id, action, caller, correlationId, trace } = envelope;
  return { messageId: id, action, caller, correlationId, trace };
}

/** The durable form of a message that waits. */
export function inboxEntry(envelope: Envelope): InboxEntry {
  const { id, action, input, priority, numbering, idempotencyKey, caller, correlationId, trace } =
    envelope;
  return {
    id,
    action,
    input,
    priority,
    sender: numbering?.sender ?? '',
    number: numbering?.number ?? 0,
    at: envelope.firstAttemptAt,
    correlationId,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(caller === undefined ? {} : { caller }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** The message that an inbox entry kept. */
export function envelopeOf(type: string, key: string, entry: InboxEntry): Envelope {
  return {
    id: entry.id,
    type,
    key,
    action: entry.action,
    input: entry.input,
    guarantee: 'exactly_once',
    priority: entry.priority,
    idempotencyKey: entry.idempotencyKey,
    deadline: Number.POSITIVE_INFINITY,
    wantsReply: false,
    attempt: 1,
    firstAttemptAt: entry.at,
    caller: entry.caller,
    correlationId: entry.correlationId,
    trace: entry.trace,
  };
}

const turnOps: ReadonlySet<Op[0]> = new Set<Op[0]>([
  'state',
  'whole',
  'event',
  'send',
  'timer',
  'untimer',
  'delete',
]);

/** Whether an operation makes its record a turn, with a version of its own. */
export function isTurnOp(op: Op): boolean {
  return turnOps.has(op[0]);
}
