/**
 * One life of a node in a test: the real node over the real embedded engine on a simulated disk, or
 * over the memory engine, which outlives it like a server. Who lives, and when it dies, is decided
 * by whoever opened it.
 */
import { type NodeLimitOptions, resolveNodeLimits } from '../agent/limit-options.ts';
import type { AgentDefinition } from '../client/troupe.ts';
import { openEmbeddedLog } from '../engines/embedded/log.ts';
import { memoryBus } from '../engines/memory/bus.ts';
import type { MemoryLogs } from '../engines/memory/log.ts';
import { TroupeNode } from '../node/node.ts';
import { sortDefinitions } from '../node/troupe.ts';
import type { Log } from '../ports/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SimPorts, SimProgram } from './sim-process.ts';

/** Which engine holds the data of a test. */
export type TestEngine = 'memory' | 'embedded';

/** What a life is made of. */
export interface TestLifeOptions {
  readonly agents: readonly AgentDefinition[];
  readonly engine: TestEngine;
  /** The store of the memory engine. */
  readonly memory: MemoryLogs;
  readonly limits: NodeLimitOptions | undefined;
  readonly logger: Logger;
}

/** A node that runs. */
export interface TestLife extends SimProgram {
  readonly node: TroupeNode;
}

interface OpenedEngine {
  readonly log: Log;
  readonly epoch: number;
  readonly lineage: string;
}

const shardCount = 4;

/** Opens the data and starts a node on it. */
export async function openTestLife(ports: SimPorts, options: TestLifeOptions): Promise<TestLife> {
  const { clock, random } = ports;
  const { types, implementations } = sortDefinitions(options.agents);
  const limits = resolveNodeLimits(options.limits ?? {}, 'limits');
  const engine = await openEngine(ports, options);
  const node = new TroupeNode({
    ports: {
      ...engine,
      clock,
      random,
      bus: memoryBus(clock),
      logger: options.logger,
      memoryBytes: () => 0,
      onFaultPoint: (name, boundary) => void ports.onFaultPoint(name, boundary),
    },
    types,
    implementations,
    limits,
    traceRatio: undefined,
  });
  await node.start();
  return {
    node,
    async stop() {
      await node.stop(0);
      await engine.log.close();
    },
  };
}

async function openEngine(ports: SimPorts, options: TestLifeOptions): Promise<OpenedEngine> {
  const { disk, random, onFaultPoint, incarnation } = ports;
  if (options.engine === 'memory') {
    const log = ports.remote<Log>(options.memory.open(), ['onFailure']);
    return { log, epoch: incarnation, lineage: 'test' };
  }
  // Without a reserve a full disk shows at once.
  const limits = { reserveBytes: 0 };
  const log = await openEmbeddedLog({ disk, random, onFaultPoint, shardCount, limits });
  return { log, epoch: log.epoch, lineage: log.lineage };
}
