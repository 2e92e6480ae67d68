/** A node on ports of the test's choice, as the object that programs hold. */
import { resolveNodeLimits } from '../../src/agent/limit-options.ts';
import type { AgentDefinition, ContractsIn, Troupe } from '../../src/client/troupe.ts';
import { memoryBus } from '../../src/engines/memory/bus.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import { type NodePorts, TroupeNode } from '../../src/node/node.ts';
import { sortDefinitions, TroupeHandle } from '../../src/node/troupe.ts';
import type { Log } from '../../src/ports/log.ts';
import { createJsonLogger } from '../../src/telemetry/logger.ts';

/** A node's definitions and ports; the real clock and randomness stand in for what is left out. */
export interface TroupeOnOptions<R extends readonly AgentDefinition[]> extends Partial<NodePorts> {
  readonly agents: R;
  readonly log: Log;
}

/** Makes a node that logs nothing; it is not started. */
export function troupeOn<const R extends readonly AgentDefinition[]>(
  options: TroupeOnOptions<R>,
): Troupe<ContractsIn<R>> {
  const { agents, ...given } = options;
  const clock = given.clock ?? systemClock();
  const ports: NodePorts = {
    clock,
    random: systemRandom(),
    bus: memoryBus(clock),
    epoch: 1,
    lineage: 'test',
    logger: createJsonLogger({ write: () => undefined, now: () => clock.now() }),
    memoryBytes: () => 0,
    ...given,
  };
  const { types, implementations } = sortDefinitions(agents);
  const limits = resolveNodeLimits({}, 'limits');
  const open = async () => {
    const node = new TroupeNode({ ports, types, implementations, limits, traceRatio: undefined });
    return { node, close: () => ports.log.close() };
  };
  // The contracts are known to the type system only, as in `createTroupe`.
  const handle = new TroupeHandle({ types, drainMs: limits.drainMs, open });
  return handle as unknown as Troupe<ContractsIn<R>>;
}
