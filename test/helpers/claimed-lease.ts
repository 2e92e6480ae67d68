/** A lease that a simulated process claims while time passes. */
import type { Lease } from '../../src/cluster/lease.ts';
import { type ClaimLeaseOptions, claimLease } from '../../src/cluster/lease-claim.ts';
import type { LeaseProcess, LeaseWorld } from './lease-world.ts';

/** Claims `nodes/a` in the name of the process. */
export function claimedLease(
  world: LeaseWorld,
  process: LeaseProcess,
  options: Partial<ClaimLeaseOptions> = {},
): Promise<Lease> {
  const { keyValue, clock, name: holder } = process;
  const claiming = { keyValue, clock, key: 'nodes/a', holder, incarnation: 1, ...options };
  return world.settled(claimLease(claiming));
}
