/**
 * What a store holds: each agent loaded and folded as an activation does it, and every kept record
 * of its log. Read once from the undamaged store, and again from each damaged copy.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { AgentHost } from '../../src/agent/host.ts';
import type { Implementation } from '../../src/agent/implementation.ts';
import { loadAgent } from '../../src/agent/load.ts';
import { packAgent } from '../../src/agent/rested.ts';
import type { EmbeddedLog } from '../../src/engines/embedded/log.ts';
import { sortDefinitions } from '../../src/node/troupe.ts';
import type { LogHead } from '../../src/ports/log.ts';
import { flipAgents } from './flip-agents.ts';

const { implementations } = sortDefinitions(flipAgents);

/** A record: where it lies, and a digest of it; what is folded has a hash chain as well. */
export interface RecordTruth {
  readonly seq: number;
  readonly digest: number;
}

/** All that is to be known of an agent. */
export interface AgentTruth {
  /** All that an activation stands on, packed. */
  readonly packed: string;
  readonly version: number;
  readonly state: unknown;
  readonly wakeAt: number;
  readonly records: readonly RecordTruth[];
}

/** Loads an agent as its next activation would. */
export async function loadFrom(log: EmbeddedLog, address: string) {
  const slash = address.indexOf('/');
  // Only agents of these types are in the store.
  const implementation = implementations.get(address.slice(0, slash)) as Implementation;
  const retention = { dedupWindowMs: 600_000, resultWindowMs: 604_800_000 };
  // Loading reads nothing else of its host.
  const host = { log, epoch: 0, lineage: log.lineage, retention } as unknown as AgentHost;
  return loadAgent(host, implementation, address.slice(slash + 1), { version: 0 });
}

/** Reads one agent. */
export async function truthOf(log: EmbeddedLog, head: LogHead): Promise<AgentTruth> {
  const loaded = await loadFrom(log, head.name);
  const packed = createHash('sha1').update(packAgent(loaded), 'latin1').digest('base64');
  const { version, state } = loaded.image;
  const records = await recordsOf(log, head.name);
  return { packed, version, state, wakeAt: head.wakeAt, records };
}

/** Every kept record of an agent. */
export async function recordsOf(log: EmbeddedLog, name: string): Promise<RecordTruth[]> {
  const records: RecordTruth[] = [];
  let after = 0;
  for (;;) {
    const slice = await log.read(name, { after, recordsMax: 100_000 });
    for (const { seq, bytes, isSnapshot } of slice.records) {
      records.push({ seq, digest: crc32(bytes, isSnapshot ? seq + 1 : seq) });
      after = seq;
    }
    if (slice.isComplete) return records;
  }
}

/** The heads of all logs. */
export async function headsOf(log: EmbeddedLog): Promise<LogHead[]> {
  const heads: LogHead[] = [];
  let cursor: string | undefined;
  do {
    const page = await log.heads({ cursor });
    heads.push(...page.heads);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return heads;
}
