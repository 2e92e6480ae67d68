/** The subject of the laws of the bus. */
import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';

/** A bus to check, and another handle on the same one: a law may publish on either. */
export interface BusSubject {
  readonly bus: Bus;
  readonly other: Bus;
  /** Bounds how long a law waits. */
  readonly clock: Clock;
}
