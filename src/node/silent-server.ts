/**
 * Leaving a server through which nothing can be stored. One that is cut off from the others goes on
 * taking connections and answering, so the connection to it never breaks, while others may have
 * elected leaders and would take the node. What shows is that no renewal of the lease is accepted.
 */
import type { Lease } from '../cluster/lease.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** What is watched, and what is done about it. */
export interface SilentServerOptions {
  readonly lease: Pick<Lease, 'silentMs'>;
  readonly clock: Clock;
  /** Goes to another server. */
  readonly leave: () => void;
}

/**
 * An election takes 4 to 9 s, during which no server would do better; leaving then costs some
 * milliseconds. The lease lasts 12 s without a renewal.
 */
const silenceMs = 6_000;
const lookMs = 1_000;

/** Begins to watch; returns the way to stop. */
export function leaveSilentServers({ lease, clock, leave }: SilentServerOptions): () => void {
  let leaveAtMs = silenceMs;
  let timer: Timer;
  const look = () => {
    const { silentMs } = lease;
    if (silentMs < silenceMs) leaveAtMs = silenceMs;
    else if (silentMs >= leaveAtMs) {
      leaveAtMs = silentMs + silenceMs;
      leave();
    }
    timer = clock.setTimer(lookMs, look);
  };
  timer = clock.setTimer(lookMs, look);
  return () => timer.cancel();
}
