/** A node of a cluster on real servers, as a program makes it, with short leases. */
import type {
  AgentDefinition,
  ContractsIn,
  Troupe,
  TroupeOptions,
} from '../../src/client/troupe.ts';
import { composeTroupe } from '../../src/node/create-troupe.ts';
import { createJsonLogger } from '../../src/telemetry/logger.ts';

/** So long a lease stands still before another may take it. */
export const shortLeaseMs = 2_000;

/** Makes a node that logs nothing; it is not started. */
export function clusterNode<const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
  leaseSpanMs: number = shortLeaseMs,
): Troupe<ContractsIn<R>> {
  const logger = createJsonLogger({ write: () => undefined, now: () => Date.now() });
  return composeTroupe({ logger, ...options }, undefined, { leaseSpanMs });
}
