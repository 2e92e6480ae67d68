/**
 * The composition root of a real process: opens the engine that the options ask for, and builds a
 * node on it.
 */
import { resolve } from 'node:path';
import { checkedOptions } from '../agent/contract-check.ts';
import { resolveNodeLimits } from '../agent/limit-options.ts';
import type { AgentDefinition, ContractsIn, Troupe, TroupeOptions } from '../client/troupe.ts';
import { TroupeError } from '../core/errors.ts';
import { openEmbeddedLogInWorker } from '../engines/embedded/worker-log.ts';
import { memoryBus } from '../engines/memory/bus.ts';
import { memoryLog } from '../engines/memory/log.ts';
import { systemClock } from '../engines/system/clock.ts';
import { systemRandom } from '../engines/system/random.ts';
import type { Log } from '../ports/log.ts';
import { createJsonLogger, type Logger } from '../telemetry/logger.ts';
import { TroupeNode } from './node.ts';
import { type OpenedNode, sortDefinitions, TroupeHandle } from './troupe.ts';

const knownOptions = ['agents', 'data', 'admin', 'name', 'limits', 'logger', 'traceRatio'];

/**
 * Makes a node. Nothing is opened before `start()`.
 *
 * @throws `CONFIG_INVALID` when an option is unknown or unacceptable.
 * @example
 * ```ts
 * import { createTroupe, defineAgent, implement, turn } from 'troupe';
 * import { z } from 'zod';
 *
 * const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: { add: turn({ input: z.number(), output: z.number() }) },
 * });
 * const counterAgent = implement(counter, { add: (ctx, by) => (ctx.state.count += by) });
 *
 * await using troupe = createTroupe({ agents: [counterAgent] });
 * await troupe.start();
 * console.log(await troupe.agents.get('counter/visits').execute('add', 1));
 * ```
 */
export function createTroupe<const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
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
        memoryBytes,
      },
      types,
      implementations,
      limits,
      traceRatio: options.traceRatio,
    });
    return { node, close: () => engine.log.close() };
  };
  // The contracts are known to the type system only.
  return new TroupeHandle({ types, drainMs: limits.drainMs, open }) as unknown as Troupe<
    ContractsIn<R>
  >;
}

interface OpenedEngine {
  readonly log: Log;
  readonly epoch: number;
  readonly lineage: string;
}

async function openEngine(data: string | undefined, logger: Logger): Promise<OpenedEngine> {
  if (data === undefined) {
    logger.info(
      'no `data` directory was given: everything is in memory and gone when the process ends',
    );
    return { log: memoryLog(), epoch: 1, lineage: systemRandom().hex(8) };
  }
  if (typeof data !== 'string' || data === '') {
    throw new TroupeError('CONFIG_INVALID', { detail: '`data` must be the path of a directory' });
  }
  const log = await openEmbeddedLogInWorker({ directory: resolve(data), entry: workerEntry() });
  const { epoch, lineage, recovery } = log;
  if (recovery.cut !== undefined)
    logger.warn('the end of the log was not written to its end and was cut', { ...recovery.cut });
  return { log, epoch, lineage };
}

/**
 * The worker's module, beside this one: TypeScript in the source tree, JavaScript in the package.
 */
function workerEntry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./storage-worker.${extension}`, import.meta.url);
}

function memoryBytes(): number {
  return process.memoryUsage().heapUsed;
}

function standardErrorLogger(): Logger {
  const clock = systemClock();
  return createJsonLogger({
    now: () => clock.now(),
    write: line => process.stderr.write(`${line}\n`),
  });
}
