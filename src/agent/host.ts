/**
 * What an agent needs of its node. The node hands these functions in, because an agent stands right
 * of everything that could provide them.
 */
import type { Envelope, Position } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { Log } from '../ports/log.ts';
import type { OutboxEntry, Retention } from '../state/entries.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MailboxItem } from './item.ts';
import type { NodeLimits } from './limit-options.ts';
import type { MessageHost } from './message.ts';

/** Events of an agent whose record was accepted. */
export interface PublishedEvents {
  readonly address: string;
  readonly events: readonly (readonly [name: string, data: unknown])[];
  readonly position: Position;
  readonly at: number;
}

/** A moment in the life of an agent, published on the bus under `agent.lifecycle.<kind>`. */
export type LifecycleKind =
  | 'activated'
  | 'passivated'
  | 'created'
  | 'deleted'
  | 'failed'
  | 'quarantined';

/** At which side of durability a fault point lies. */
export type FaultBoundary = 'before-durable' | 'ambiguous' | 'after-durable' | 'read-only';

/**
 * What a node holds so that it may answer although no accepted append proves that nobody else does.
 */
export interface AnswerLease {
  /** Whether it may, at this moment. */
  readonly isHeld: boolean;
}

/** The node as its agents see it. */
export interface AgentHost extends MessageHost {
  readonly log: Log;
  /** Nothing where a lock keeps all others out. */
  readonly lease: AnswerLease | undefined;
  /** Names this life of the process. */
  readonly incarnation: string;
  readonly epoch: number;
  readonly lineage: string;
  readonly retention: Retention;
  readonly limits: NodeLimits;
  readonly logger: Logger;
  /** A new id, unique in all lives of all nodes. */
  nextId(): string;
  /**
   * Delivers a promised message until it is consumed, given up or too old. `floor` says the lowest
   * number that may still be sent again; nothing when others deliver the message from now on.
   */
  deliverPromised(
    source: string,
    entry: OutboxEntry,
    floor: () => number | undefined,
  ): Promise<DeliveryEnd>;
  /** Puts work of an agent's own into its mailbox. */
  enqueue(address: string, item: MailboxItem): void;
  /** How many items wait for an agent. */
  waitingAt(address: string): number;
  /** Says when an agent next has work of its own; `Infinity` for never. */
  schedule(address: string, wakeAt: number): void;
  publish(events: PublishedEvents): void;
  lifecycle(kind: LifecycleKind, address: string, detail?: unknown): void;
  /** Notes a turn or read for the metrics; returns how many milliseconds it took. */
  observe(
    envelope: Envelope,
    kind: string,
    startedAt: number,
    error: TroupeError | undefined,
  ): number;
  /** Notes the end of a run for the metrics. */
  observeRun(type: string, action: string, startedAt: number, isOk: boolean): void;
  /** Notes a step for the metrics: it finished, was found finished, or is run again. */
  observeStep(type: string, name: string, what: 'finished' | 'resumed' | 'repeated'): void;
  /** Steps that go on in this process, by run and identity: a new activation joins them. */
  readonly runningSteps: Map<string, Map<string, Promise<unknown>>>;
  /** A place where the simulator may stop the process. */
  faultPoint(name: string, boundary: FaultBoundary): void;
}

/** How the delivery of a promised message ended. */
export type DeliveryEnd =
  | { readonly status: 'consumed' }
  | { readonly status: 'failed'; readonly error: TroupeError; readonly attempts: number }
  /** The node stops; the promise stays in the outbox. */
  | { readonly status: 'stopped' };
