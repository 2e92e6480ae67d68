/**
 * The records of an agent as a node wrote them into NATS streams, to be given to many others: a
 * record does not name the agent whose log it is in.
 */
import { connectNats } from '../src/engines/nats/connection.ts';
import { openNatsLog } from '../src/engines/nats/log.ts';
import { systemClock } from '../src/engines/system/clock.ts';
import { systemRandom } from '../src/engines/system/random.ts';
import { createTroupe } from '../src/index.ts';
import type { StoredRecord } from '../src/ports/log.ts';
import { account, accountAgent } from './agents.ts';
import { clusterName, type ServerCount } from './nats-servers.ts';

/** What a template is made of. */
export interface TemplateOptions {
  readonly urls: readonly string[];
  readonly servers: ServerCount;
  /** The agent that is made for it, and stays. */
  readonly key: string;
  /** How many turns it has. */
  readonly turnCount: number;
  /** How many records are taken, from its newest snapshot on or else from the first. */
  readonly recordCount: number;
}

/** What a log holds. */
export interface LogTemplate {
  readonly records: readonly StoredRecord[];
  /** What the agent holds after them. */
  readonly balance: number;
}

/** Lets a node make an agent, and reads what it wrote. */
export async function logTemplate(options: TemplateOptions): Promise<LogTemplate> {
  const { urls, key, turnCount, recordCount } = options;
  const cluster = { servers: urls, name: clusterName, unflushed: true };
  const troupe = createTroupe({ agents: [accountAgent], cluster, name: 'template' });
  await troupe.start();
  try {
    const ref = troupe.agents.get(account, key);
    for (let turn = 0; turn < turnCount; turn += 1) await ref.execute('move', { amount: 1 });
  } finally {
    await troupe.stop();
  }
  const records = await recordsOf(options, `account/${key}`);
  const moreCount = records.length - recordCount;
  if (moreCount < 0) throw new Error(`the template has ${records.length} records`);
  return { records: records.slice(0, recordCount), balance: turnCount - moreCount };
}

async function recordsOf({ urls, servers }: TemplateOptions, name: string) {
  const parts = { clock: systemClock(), random: systemRandom() };
  const client = await connectNats({ servers: urls }, parts);
  const log = await openNatsLog({ ...parts, client, cluster: clusterName, replicas: servers });
  try {
    const { heads } = await log.heads({ prefix: name });
    const wakeAt = heads.find(head => head.name === name)?.wakeAt;
    // The logs that are filled with it say that they have no work.
    if (wakeAt !== Number.POSITIVE_INFINITY) throw new Error(`${name} has work at ${wakeAt}`);
    return (await log.readLatest(name)).records;
  } finally {
    await log.close();
    await client.close();
  }
}
