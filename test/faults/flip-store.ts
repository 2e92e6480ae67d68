/**
 * A store of acknowledged turns of the real runtime, in two copies: as a node leaves it that
 * closed, and as one leaves it that was killed when it had answered everybody.
 */
import { cpSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { resolveNodeLimits } from '../../src/agent/limit-options.ts';
import type { ContractsIn, Troupe } from '../../src/client/troupe.ts';
import { openEmbeddedBlob } from '../../src/engines/embedded/blob.ts';
import type { EmbeddedLog } from '../../src/engines/embedded/log.ts';
import type { StoreLimits } from '../../src/engines/embedded/options.ts';
import { memoryBus } from '../../src/engines/memory/bus.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import { TroupeNode } from '../../src/node/node.ts';
import { openStorage } from '../../src/node/open-storage.ts';
import { sortDefinitions, TroupeHandle } from '../../src/node/troupe.ts';
import { createJsonLogger } from '../../src/telemetry/logger.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { account, archive, flipAgents, order } from './flip-agents.ts';

/** How {@link fillFlipStore} fills. */
export interface FlipStoreOptions {
  readonly seed: string;
  readonly turns: number;
  readonly agentCount: number;
  readonly limits: Partial<StoreLimits>;
}

/** How a store was left. */
export type FlipVariant = 'closed' | 'killed';

/** What callers were answered last: the sums of an agent and its version. */
export type Answers = ReadonlyMap<string, { readonly sums: unknown; readonly version: number }>;

type FlipTroupe = Troupe<ContractsIn<typeof flipAgents>>;

/** So many turns are awaited together. */
const batchSize = 512;

/** Fills a store below `folder`, and leaves its two copies in folders named by variant. */
export async function fillFlipStore(folder: string, options: FlipStoreOptions): Promise<Answers> {
  const data = join(folder, 'filled');
  mkdirSync(data);
  const opened: EmbeddedLog[] = [];
  const troupe = troupeIn(data, options.limits, opened);
  await troupe.start();
  await work(troupe, options);
  const answers = await askAll(troupe);
  // A backup waits for background work, and nothing else is going on.
  await opened[0]?.backUp(join(folder, 'backup'));
  await putBlobs(data);
  copyAtRest(data, join(folder, 'killed'));
  await troupe.stop();
  cpSync(data, join(folder, 'closed'), { recursive: true });
  return answers;
}

function troupeIn(directory: string, limits: Partial<StoreLimits>, opened: EmbeddedLog[]) {
  const { types, implementations } = sortDefinitions(flipAgents);
  const nodeLimits = resolveNodeLimits({ requestsMax: 10_000 }, 'limits');
  const clock = systemClock();
  const open = async () => {
    const log = await openStorage({ directory, limits });
    opened.push(log);
    const ports = {
      clock,
      log,
      random: systemRandom(),
      bus: memoryBus(clock),
      epoch: log.epoch,
      lineage: log.lineage,
      logger: createJsonLogger({ write: () => undefined, now: () => clock.now() }),
      memoryBytes: () => 0,
    };
    const node = new TroupeNode({
      ports,
      types,
      implementations,
      limits: nodeLimits,
      traceRatio: undefined,
    });
    return { node, close: () => log.close() };
  };
  // The contracts are known to the type system only, as in `createTroupe`.
  return new TroupeHandle({ types, drainMs: 100, open }) as unknown as FlipTroupe;
}

async function work(troupe: FlipTroupe, { seed, turns, agentCount }: FlipStoreOptions) {
  const draw = new SimRandom(`flip-store/${seed}`);
  for (let done = 0; done < turns; ) {
    const count = Math.min(batchSize, turns - done);
    await Promise.all(Array.from({ length: count }, () => oneTurn(troupe, draw, agentCount)));
    done += count;
  }
  for (let number = 0; number < Math.ceil(agentCount / 20); number += 1) {
    const reference = troupe.agents.get(order, `o${number}`);
    await reference.send('pay', { amount: number, waits: number % 2 === 0 });
    if (number % 2 === 1) await reference.execute('pay', { amount: 1, waits: false });
  }
}

function oneTurn(troupe: FlipTroupe, draw: SimRandom, agentCount: number): Promise<unknown> {
  // Small numbers are drawn much more often: agents of very different sizes.
  const place = Math.floor(draw.next() ** 3 * agentCount);
  const kind = draw.next();
  const text = draw.hex(4 + draw.below(40));
  if (place % 10 === 4) {
    const page = `p${draw.below(12)}`;
    return troupe.agents.get(archive, `a${place}`).execute('keep', { page, text });
  }
  const one = troupe.agents.get(account, `c${place}`);
  const amount = draw.below(100);
  if (kind < 0.001) return one.execute('promise', amount);
  if (kind < 0.003) return one.execute('remind', 30 + amount);
  const options = kind < 0.01 ? { idempotencyKey: text } : {};
  return one.execute('move', { amount, note: text }, options);
}

async function askAll(troupe: FlipTroupe): Promise<Answers> {
  const answers = new Map<string, { sums: unknown; version: number }>();
  for (const contract of [account, archive] as const) {
    let cursor: string | undefined;
    do {
      const page = await troupe.agents.list({ type: contract.type, limit: 1_000, cursor });
      cursor = page.cursor;
      for (const { address, key } of page.items) {
        const result = await troupe.agents.get(contract as typeof account, key).tryExecute('sums');
        if (!result.ok) throw result.error;
        answers.set(address, { sums: result.value, version: result.position.version });
      }
    } while (cursor !== undefined);
  }
  return answers;
}

/** The runtime keeps everything in the log so far; large values beside it are damaged as well. */
async function putBlobs(directory: string): Promise<void> {
  const clock = systemClock();
  const blobs = await openEmbeddedBlob({ disk: systemDisk(directory), clock });
  for (let number = 1; number <= 4; number += 1) {
    await blobs.put(new Uint8Array(number * 20_000).fill(number));
  }
  await blobs.close();
}

/** Copies a directory in which nothing changes meanwhile. */
function copyAtRest(source: string, target: string): void {
  const before = sizesIn(source);
  cpSync(source, target, { recursive: true });
  if (sizesIn(source) !== before) throw new Error('the store changed while it was copied');
}

function sizesIn(directory: string): string {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
  const stats = names.map(name => ({ name, ...statSync(join(directory, name)) }));
  return stats.map(({ name, size, mtimeMs }) => `${name} ${size} ${mtimeMs}`).join('\n');
}
