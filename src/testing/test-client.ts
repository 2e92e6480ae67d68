/**
 * What a test holds of its node: the same agents, runs and topics as a program has, bound to
 * whichever life the node is in, so that references outlive a crash.
 */

import type { Contract } from '../agent/contract.ts';
import { AgentDirectory } from '../client/agents.ts';
import { deadLetters } from '../client/dead-letters.ts';
import { DurableFuture, parseFutureId } from '../client/future.ts';
import type { KernelSource } from '../client/kernel.ts';
import { allRuns } from '../client/runs.ts';
import { topicBus } from '../client/topics.ts';
import type { Troupe } from '../client/troupe.ts';

/** The parts of a node that callers use. */
export type TestClient<D extends Contract = Contract> = Pick<
  Troupe<D>,
  'agents' | 'runs' | 'futures' | 'deadLetters' | 'bus'
>;

/** Makes the client of whatever node the source leads to when it is used. */
export function testClient<D extends Contract>(kernel: KernelSource): TestClient<D> {
  const contractOf = (type: string) => kernel().router.contractOf(type);
  const directory = new AgentDirectory({ kernel, contractOf });
  const at = (address: string) => directory.get(address);
  const client: Omit<TestClient, 'agents'> & { readonly agents: unknown } = {
    agents: directory,
    runs: allRuns(kernel, at),
    futures: { get: id => new DurableFuture<unknown>(kernel, parseFutureId(id)) },
    deadLetters: deadLetters(kernel, at),
    bus: topicBus(kernel),
  };
  // The contracts are known to the type system only, as in `createTroupe`.
  return client as TestClient<D>;
}
