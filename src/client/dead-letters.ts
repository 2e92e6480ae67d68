/** Messages that were given up: found over all agents, sent again, or dropped. */

import type { DeadLetter } from '../state/entries.ts';
import { noticedAt } from '../state/image.ts';
import type { KernelSource } from './kernel.ts';
import { collectPages, pageOf } from './pages.ts';
import { type Administered, addressOfId } from './runs.ts';
import type { DeadLetterInfo, DeadLetters } from './troupe.ts';

/** The dead letters of all agents of a node; `at` gives the reference of an address. */
export function deadLetters(
  kernel: KernelSource,
  at: (address: string) => Administered,
): DeadLetters {
  return {
    async list(options = {}) {
      const { type } = options;
      const page = {
        ...pageOf(options),
        prefix: type === undefined ? undefined : `${type}/`,
        dueAt: noticedAt,
      };
      return collectPages(kernel(), page, async address => {
        const letters = (await at(address).administer('$dead', undefined)) as DeadLetter[];
        return letters.map(letter => infoOf(address, letter));
      });
    },
    async retry(id) {
      const messageId = (await at(addressOfId(id)).administer('$retryDead', {
        id: letterId(id),
      })) as string;
      return { messageId };
    },
    async drop(id) {
      await at(addressOfId(id)).administer('$dropDead', { id: letterId(id) });
    },
  };
}

function letterId(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1);
}

function infoOf(agent: string, letter: DeadLetter): DeadLetterInfo {
  const { id, type, key, action, input, error, attempts, at, caller, correlationId } = letter;
  return {
    id: `${agent}#${id}`,
    agent,
    target: `${type}/${key}`,
    action,
    input,
    error,
    attempts,
    at: new Date(at),
    correlationId,
    ...(caller === undefined ? {} : { caller }),
  };
}
