/** The way to agents: references by address or contract, and lists. */
import type { Contract } from '../agent/contract.ts';
import { addressOf, parseAddress } from '../core/address.ts';
import { TroupeError } from '../core/errors.ts';
import type { ClientKernel, KernelSource } from './kernel.ts';
import { isHostedAgent, pageOf } from './pages.ts';
import { AgentReference } from './reference.ts';
import type { AgentInfo, ListOptions, Page } from './troupe.ts';

/** What the directory of references needs. */
export interface AgentDirectoryOptions {
  readonly kernel: KernelSource;
  /** @throws `TYPE_NOT_DEFINED` */
  contractOf(type: string): Contract;
}

/** References and lists. Its public types are those of `Agents`. */
export class AgentDirectory {
  readonly #options: AgentDirectoryOptions;

  constructor(options: AgentDirectoryOptions) {
    this.#options = options;
  }

  /** A reference by address, or by contract and key. */
  get(target: string | Contract, key?: string): AgentReference {
    if (typeof target !== 'string') {
      const contract = this.#options.contractOf(target.type);
      addressOf(contract.type, key as string);
      return new AgentReference(this.#options.kernel, contract, key as string);
    }
    const id = parseAddress(target);
    return new AgentReference(this.#options.kernel, this.#options.contractOf(id.type), id.key);
  }

  /** Agents that have a history, or are in memory. */
  async list(options: ListOptions<string> = {}): Promise<Page<AgentInfo>> {
    const { type, prefix } = options;
    if (prefix !== undefined && type === undefined) {
      throw new TroupeError('INVALID_INPUT', {
        detail: 'a list by `prefix` of the key needs a `type`',
      });
    }
    if (type !== undefined) this.#options.contractOf(type);
    const kernel = this.#options.kernel();
    const start = type === undefined ? undefined : `${type}/${prefix ?? ''}`;
    return listAgents(kernel, start, pageOf(options));
  }
}

async function listAgents(
  kernel: ClientKernel,
  prefix: string | undefined,
  { limit, cursor }: ReturnType<typeof pageOf>,
): Promise<Page<AgentInfo>> {
  const items: AgentInfo[] = [];
  let place = cursor;
  do {
    const page = await kernel.log.heads({ prefix, cursor: place, limit: limit - items.length });
    place = page.cursor;
    for (const { name, wakeAt } of page.heads)
      if (isHostedAgent(kernel, name)) items.push(infoOf(kernel, name, wakeAt));
  } while (place !== undefined && items.length < limit);
  if (place === undefined) items.push(...unrecorded(kernel, prefix));
  return place === undefined ? { items } : { items, cursor: place };
}

/** Agents in memory that have no history. They come with the last page, whatever its limit. */
function unrecorded(kernel: ClientKernel, prefix: string | undefined): AgentInfo[] {
  const items: AgentInfo[] = [];
  for (const { address, activation } of kernel.residents.all()) {
    const isRecorded = activation?.committer?.hasRecords;
    if (isRecorded || activation === undefined) continue;
    if (prefix === undefined || address.startsWith(prefix))
      items.push(infoOf(kernel, address, Number.POSITIVE_INFINITY));
  }
  return items;
}

function infoOf(kernel: ClientKernel, address: string, wakeAt: number): AgentInfo {
  const { type, key } = parseAddress(address);
  return {
    address,
    type,
    key,
    isActive: kernel.residents.get(address)?.activation !== undefined,
    ...(Number.isFinite(wakeAt) && Math.abs(wakeAt) < 8.64e15 ? { wakeAt: new Date(wakeAt) } : {}),
  };
}
