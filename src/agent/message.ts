/** What a context needs of the node to call other agents: time, chance, and a way for messages. */
import type { Guarantee, Priority, Reply, TraceContext } from '../core/envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Contract } from './contract.ts';

/** Who is calling, when an agent calls another. */
export interface CallOrigin {
  readonly caller: string;
  readonly correlationId: string;
  readonly trace: TraceContext | undefined;
}

/** A message that an agent gives to its node to deliver. */
export interface OutgoingMessage extends CallOrigin {
  readonly type: string;
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly guarantee: Guarantee;
  readonly priority: Priority;
  readonly idempotencyKey?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly wantsReply: boolean;
}

/** The part of a node that contexts use. */
export interface MessageHost {
  readonly clock: Clock;
  readonly random: Random;
  /** The contract of a type, if this node knows it. */
  contractOf(type: string): Contract | undefined;
  /** Delivers a message of an agent; resolves with the answer. */
  deliver(message: OutgoingMessage): Promise<Reply>;
}
