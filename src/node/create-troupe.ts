/**
 * The composition root of a real process: opens the engine that the options ask for, and builds a
 * node on it.
 */
import { resolve } from 'node:path';
import { checkedOptions } from '../agent/contract-check.ts';
import { resolveNodeLimits } from '../agent/limit-options.ts';
import type { AgentDefinition, ContractsIn, Troupe, TroupeOptions } from '../client/troupe.ts';
import { TroupeError } from '../core/errors.ts';
import { memoryBus } from '../engines/memory/bus.ts';
import { memoryLog } from '../engines/memory/log.ts';
import { systemClock } from '../engines/system/clock.ts';
import { systemMemoryBytes } from '../engines/system/memory.ts';
import { systemRandom } from '../engines/system/random.ts';
import type { Log } from '../ports/log.ts';
import { createJsonLogger, type Logger } from '../telemetry/logger.ts';
import type { Storage } from './data-directory.ts';
import type { FaceOpener, NodeFace } from './face.ts';
import { TroupeNode } from './node.ts';
import { openStorage } from './open-storage.ts';
import { type OpenedNode, sortDefinitions, TroupeHandle } from './troupe.ts';

const knownOptions = ['agents', 'data', 'admin', 'name', 'limits', 'logger', 'traceRatio'];

/**
 * Makes a node. Nothing is opened before `start()`.
 *
 * @param openFace - Opens the admin API, when the options ask for it.
 * @throws `CONFIG_INVALID` when an option is unknown or unacceptable.
 */
export function composeTroupe<const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
  openFace?: FaceOpener,
): Troupe<ContractsIn<R>> {
  checkedOptions('createTroupe', options, knownOptions);
  const { types, implementations } = sortDefinitions(options.agents);
  const limits = resolveNodeLimits(options.limits ?? {}, 'createTroupe: limits');
  const logger = options.logger ?? standardErrorLogger();
  const open = async (): Promise<OpenedNode> => {
    const engine = await openEngine(options.data, logger);
    const node = new TroupeNode({
      ports: {
        ...engine,
        clock: systemClock(),
        random: systemRandom(),
        bus: memoryBus(systemClock()),
        logger,
        memoryBytes: systemMemoryBytes,
      },
      types,
      implementations,
      limits,
      traceRatio: options.traceRatio,
    });
    const data = engine.data && { ...engine.data, storage: storageFor(node, engine.data.storage) };
    return { node, data, close: () => engine.log.close() };
  };
  // The contracts are known to the type system only.
  return new TroupeHandle({
    types,
    drainMs: limits.drainMs,
    open,
    openFace,
  }) as unknown as Troupe<ContractsIn<R>>;
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

interface OpenedEngine {
  readonly log: Log;
  readonly epoch: number;
  readonly lineage: string;
  readonly data: NodeFace['data'];
}

async function openEngine(data: string | undefined, logger: Logger): Promise<OpenedEngine> {
  if (data === undefined) {
    logger.info(
      'no `data` directory was given: everything is in memory and gone when the process ends',
    );
    return { log: memoryLog(), epoch: 1, lineage: systemRandom().hex(8), data: undefined };
  }
  if (typeof data !== 'string' || data === '') {
    throw new TroupeError('CONFIG_INVALID', { detail: '`data` must be the path of a directory' });
  }
  const directory = resolve(data);
  const log = await openStorage({ directory });
  const { epoch, lineage, recovery } = log;
  if (recovery.cut !== undefined)
    logger.warn('the end of the log was not written to its end and was cut', { ...recovery.cut });
  return { log, epoch, lineage, data: { directory, storage: log } };
}

function standardErrorLogger(): Logger {
  const clock = systemClock();
  return createJsonLogger({
    now: () => clock.now(),
    write: line => process.stderr.write(`${line}\n`),
  });
}
