/**
 * What references and the rest of the client stand on: the running node, seen from outside agents.
 */
import type { NodeLimits } from '../agent/limit-options.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Residents } from '../mailbox/residents.ts';
import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Router } from '../routing/router.ts';
import type { Retention } from '../state/entries.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EventHub } from './event-hub.ts';

/** A running node. */
export interface ClientKernel {
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Bus;
  readonly limits: NodeLimits;
  readonly retention: Retention;
  readonly router: Router;
  readonly delivery: Delivery;
  readonly residents: Residents;
  readonly events: EventHub;
  readonly logger: Logger;
  nextId(): string;
}

/**
 * The kernel, while the node runs.
 *
 * @throws `NOT_STARTED` before `start` and after `stop`.
 */
export type KernelSource = () => ClientKernel;
