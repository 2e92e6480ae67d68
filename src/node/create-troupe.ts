/**
 * The composition root of a real process: opens the engine that the options ask for, and builds a
 * node on it.
 */
import { resolve } from 'node:path';
import { checkedOptions } from '../agent/contract-check.ts';
import type { Implementation } from '../agent/implementation.ts';
import { resolveNodeLimits } from '../agent/limit-options.ts';
import type { AgentDefinition, ContractsIn, Troupe, TroupeOptions } from '../client/troupe.ts';
import { TroupeError } from '../core/errors.ts';
import { memoryBus } from '../engines/memory/bus.ts';
import { memoryLog } from '../engines/memory/log.ts';
import { systemClock } from '../engines/system/clock.ts';
import { systemMemoryBytes } from '../engines/system/memory.ts';
import { systemRandom } from '../engines/system/random.ts';
import { createJsonLogger, type Logger } from '../telemetry/logger.ts';
import { type CheckedCluster, checkedCluster, checkNodeName } from './cluster-options.ts';
import type { Storage } from './data-directory.ts';
import type { FaceOpener } from './face.ts';
import { type NodePorts, TroupeNode } from './node.ts';
import { openStorage } from './open-storage.ts';
import { type OpenedNode, sortDefinitions, TroupeHandle } from './troupe.ts';

const knownOptions = [
  ...['agents', 'data', 'cluster', 'admin', 'name', 'limits', 'logger', 'traceRatio'],
];

/** What only the tests of this project ask of a node. */
export interface ComposeOptions {
  /** How long a lease stands still before another may take it: short in tests. */
  readonly leaseSpanMs?: number | undefined;
}

/**
 * Makes a node. Nothing is opened before `start()`.
 *
 * @param openFace - Opens the admin API, when the options ask for it.
 * @throws `CONFIG_INVALID` when an option is unknown or unacceptable.
 */
export function composeTroupe<const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
  openFace?: FaceOpener,
  { leaseSpanMs }: ComposeOptions = {},
): Troupe<ContractsIn<R>> {
  checkedOptions('createTroupe', options, knownOptions);
  checkNodeName(options.name);
  const cluster = options.cluster === undefined ? undefined : checkedCluster(options.cluster);
  const { types, implementations } = sortDefinitions(options.agents);
  const limits = resolveNodeLimits(options.limits ?? {}, 'createTroupe: limits');
  const logger = options.logger ?? standardErrorLogger();
  const open = async (): Promise<OpenedNode> => {
    const { data, name } = options;
    const engine = await openEngine({ data, name, cluster, leaseSpanMs, implementations, logger });
    const { directory, standing, backUp, close, storage, ...ports } = engine;
    const node = new TroupeNode({
      ports: {
        ...ports,
        clock: systemClock(),
        random: systemRandom(),
        logger,
        memoryBytes: systemMemoryBytes,
      },
      types,
      implementations,
      limits,
      traceRatio: options.traceRatio,
    });
    const kept =
      storage === undefined || directory === undefined
        ? undefined
        : { directory, storage: storageFor(node, storage) };
    const faces = { cluster: standing, inspectCluster: inspecting(cluster), backUpCluster: backUp };
    return { node, data: kept, directory, ...faces, close };
  };
  // The contracts are known to the type system only.
  return new TroupeHandle({
    types,
    drainMs: limits.drainMs,
    open,
    openFace,
  }) as unknown as Troupe<ContractsIn<R>>;
}

/** The way to look at a cluster, which is loaded when somebody does. */
function inspecting(cluster: CheckedCluster | undefined): OpenedNode['inspectCluster'] {
  if (cluster === undefined) return undefined;
  return async () => (await import('./cluster-inspection.ts')).inspectCluster({ cluster });
}

/** The engine as an operator sees it while the node runs, which must hear of what is changed. */
function storageFor(node: TroupeNode, storage: Storage): Storage {
  const { epoch, lineage, recovery } = storage;
  return {
    epoch,
    lineage,
    recovery,
    survey: name => storage.survey(name),
    exportReadable: name => storage.exportReadable(name),
    backUp: directory => storage.backUp(directory),
    async repair(name) {
      const survey = await storage.repair(name);
      if (survey.remedy === 'cut') node.residents.forget(name);
      return survey;
    },
  };
}

interface EngineOptions {
  readonly data: string | undefined;
  readonly name: string | undefined;
  readonly cluster: CheckedCluster | undefined;
  readonly leaseSpanMs: number | undefined;
  readonly implementations: ReadonlyMap<string, Implementation>;
  readonly logger: Logger;
}

interface OpenedEngine
  extends Pick<NodePorts, 'log' | 'bus' | 'epoch' | 'lineage' | 'lease' | 'incarnation'> {
  /** Where the node leaves what others on this machine look for. */
  readonly directory: string | undefined;
  /** What only an engine on this machine's disk can do. */
  readonly storage?: Storage | undefined;
  readonly standing?: OpenedNode['cluster'];
  readonly backUp?: OpenedNode['backUpCluster'];
  close(): Promise<void>;
}

async function openEngine(options: EngineOptions): Promise<OpenedEngine> {
  const { data, cluster } = options;
  if (data !== undefined && (typeof data !== 'string' || data === '')) {
    throw new TroupeError('CONFIG_INVALID', { detail: '`data` must be the path of a directory' });
  }
  const directory = data === undefined ? undefined : resolve(data);
  if (cluster !== undefined) return openInCluster(cluster, directory, options);
  return directory === undefined ? inMemory(options.logger) : onDisk(directory, options.logger);
}

function inMemory(logger: Logger): OpenedEngine {
  logger.info(
    'no `data` directory was given: everything is in memory and gone when the process ends',
  );
  const log = memoryLog();
  const lineage = systemRandom().hex(8);
  const bus = memoryBus(systemClock());
  return { log, bus, epoch: 1, lineage, directory: undefined, close: () => log.close() };
}

async function onDisk(directory: string, logger: Logger): Promise<OpenedEngine> {
  const log = await openStorage({ directory });
  const { epoch, lineage, recovery } = log;
  if (recovery.cut !== undefined)
    logger.warn('the end of the log was not written to its end and was cut', { ...recovery.cut });
  const bus = memoryBus(systemClock());
  return { log, bus, epoch, lineage, directory, storage: log, close: () => log.close() };
}

async function openInCluster(
  cluster: CheckedCluster,
  directory: string | undefined,
  { name, leaseSpanMs, implementations, logger }: EngineOptions,
): Promise<OpenedEngine> {
  const { openCluster } = await import('./open-cluster.ts');
  const durableTypes = [...implementations]
    .filter(([, { contract }]) => contract.consistency !== 'none')
    .map(([type]) => type);
  const surroundings = { cluster, logger, clock: systemClock(), random: systemRandom() };
  const options = { ...surroundings, directory, name, durableTypes, leaseSpanMs };
  const { document, keyValue, ...opened } = await openCluster(options);
  const { epoch, lease, log } = opened;
  const backUp = async (target: string) => {
    const { backUpLive } = await import('./live-backup.ts');
    const serving = { document, epoch, lease };
    return backUpLive({ ...surroundings, directory: target, opened: serving, log });
  };
  return { ...opened, directory, backUp };
}

function standardErrorLogger(): Logger {
  const clock = systemClock();
  return createJsonLogger({
    now: () => clock.now(),
    write: line => process.stderr.write(`${line}\n`),
  });
}
