/**
 * A message with all that travels with it. The fields of numbering, deadline, trace and caller are
 * there from the first version of the format, so that a record or a frame never lacks them.
 */

/** What is promised about a message. See the architecture guide, "Delivery". */
export type Guarantee = 'at_most_once' | 'at_least_once' | 'exactly_once';

/** The three lanes of a mailbox. */
export type Priority = 'high' | 'normal' | 'low';

/** Where a message belongs in a trace: W3C trace context. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that sent the message. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/**
 * The place of a message in the sequence of its sender, receiver and lane.
 *
 * @remarks The receiver runs `number` once every number in [`floor`, `number`) is consumed or
 * abandoned, keeps the set of consumed numbers above the floor, and forgets what lies below.
 */
export interface Numbering {
  /** The sender: an agent's address, or the incarnation of a node for callers outside agents. */
  readonly sender: string;
  /** Dense from 1 per (sender, lineage, receiver, lane). */
  readonly number: number;
  /** The lowest number that the sender may still send again. */
  readonly floor: number;
  /** Numbers above the floor that will never be sent. */
  readonly abandoned?: readonly number[] | undefined;
}

/** A message on its way to an agent. */
export interface Envelope {
  /** Names the message in traces, dead letters and errors. */
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly action: string;
  /** The sender's original value, before the receiver's schema has parsed it. */
  readonly input: unknown;
  readonly guarantee: Guarantee;
  readonly priority: Priority;
  /** Absent for reads and `at_most_once`. */
  readonly numbering?: Numbering | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Wall-clock milliseconds after which nobody waits for the answer; `Infinity` for none. */
  readonly deadline: number;
  /** Whether somebody waits for the value; if not, a throw is an attempt and not an answer. */
  readonly wantsReply: boolean;
  /** Counts from 1. */
  readonly attempt: number;
  /** Wall-clock milliseconds of the first attempt. */
  readonly firstAttemptAt: number;
  /** The address of the calling agent, or what the caller outside said of itself. */
  readonly caller?: string | undefined;
  /** Shared by all messages that one message from outside led to. */
  readonly correlationId: string;
  readonly trace?: TraceContext | undefined;
}

/** Where in the history of its agent an answer belongs. */
export interface Position {
  readonly epoch: number;
  /** The version that the turn made, or that the read saw. */
  readonly version: number;
}

/** The answer to an {@link Envelope}: a value with its place. Failures are thrown. */
export interface Reply extends Position {
  readonly value: unknown;
}
