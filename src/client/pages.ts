/** Lists over many agents, page by page: the log names the agents, each is asked for its part. */

import { TroupeError } from '../core/errors.ts';
import type { HeadsOptions } from '../ports/log.ts';
import type { ClientKernel } from './kernel.ts';
import type { Page, PageOptions } from './troupe.ts';

const pageLengthMax = 1_000;
const pageLengthDefault = 100;

/**
 * The page that options ask for.
 *
 * @throws `INVALID_INPUT` when its length is not from 1 to 1,000.
 */
export function pageOf({ limit = pageLengthDefault, cursor }: PageOptions): {
  limit: number;
  cursor: string | undefined;
} {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > pageLengthMax) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `limit is ${String(limit)}; it must be a whole number from 1 to ${pageLengthMax}`,
    });
  }
  return { limit, cursor };
}

/** Whether a log is an agent's that this node hosts. */
export function isHostedAgent(kernel: ClientKernel, name: string): boolean {
  const slash = name.indexOf('/');
  return slash > 0 && kernel.router.find(name.slice(0, slash))?.isHosted === true;
}

/**
 * Asks the agents of a page of logs, until the page is full. A page may hold a little more than its
 * limit.
 */
export async function collectPages<T>(
  kernel: ClientKernel,
  options: HeadsOptions,
  ask: (address: string) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const items: T[] = [];
  let { cursor } = options;
  do {
    const page = await kernel.log.heads({ ...options, cursor });
    cursor = page.cursor;
    for (const { name } of page.heads)
      if (isHostedAgent(kernel, name)) items.push(...(await ask(name)));
  } while (cursor !== undefined && items.length < (options.limit ?? pageLengthDefault));
  return cursor === undefined ? { items } : { items, cursor };
}
