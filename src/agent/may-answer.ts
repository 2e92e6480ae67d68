/**
 * Whether this node may answer now. What an accepted append proves may always be told; all else
 * only while the lease is held, which is looked at when the answer leaves: a process that was
 * stopped goes on without having noticed.
 */
import { TroupeError } from '../core/errors.ts';
import type { AgentHost } from './host.ts';

/** Whether an answer may leave that no accepted append proves. */
export function mayAnswer({ lease }: Pick<AgentHost, 'lease'>): boolean {
  return lease === undefined || lease.isHeld;
}

/** The refusal while the lease is not held. */
export function leaseLapsed(what: string): TroupeError {
  return new TroupeError('NO_QUORUM', {
    detail: `this node may not answer for ${what}: it could not renew its lease, so another may have taken over`,
    outcome: 'not-executed',
    retryAfterMs: 1_000,
  });
}
