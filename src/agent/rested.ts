/**
 * Agents at rest. An agent in memory that does nothing needs none of its machinery, so a node keeps
 * most of them packed: one string with all that the next message needs, and no read of the log.
 */

import type { AgentImage, SnapshotPlace } from '../state/agent-image.ts';
import { decodeValue, encodePartsAsText, type PartWriter } from '../state/codec.ts';
import type { LoadedAgent } from './fold.ts';

/** The smallest form of an agent in memory: bytes as a string of one byte a character. */
export type RestedAgent = string;

/** Packs an agent. */
export function packAgent(agent: LoadedAgent): RestedAgent {
  // A string costs its characters and a header; a typed array of this size costs two objects more.
  return encodePartsAsText(writeAgent, agent);
}

function writeAgent(writer: PartWriter, agent: LoadedAgent): void {
  const { image, chain, tail, wakeAt, snapshots, needsWhole, newLineage } = agent;
  writer.list(5);
  writer.list(6);
  writer.value(image.lineage);
  writer.value(image.epoch);
  writer.value(image.version);
  writer.value(image.at);
  writer.value(image.stateVersion);
  writer.value(image.hasState);
  writer.value(image.state);
  writer.list(newLineage === undefined ? 6 : 7);
  writer.latin1(chain);
  writer.value(tail);
  writer.value(wakeAt);
  writer.value(needsWhole);
  writer.value(agent.recordsSinceSnapshot);
  writer.value(agent.bytesSinceSnapshot);
  if (newLineage !== undefined) writer.value(newLineage);
  writer.list(1 + snapshots.length * 2);
  writer.value(agent.snapshotBytes);
  for (const { seq, version } of snapshots) {
    writer.value(seq);
    writer.value(version);
  }
  writeParts(writer, image);
}

/** Most parts are absent in most agents, and names cost as much as values. */
function writeParts(writer: PartWriter, image: AgentImage): void {
  let count = 0;
  for (const name of partNames) if (image[name] !== undefined) count += 1;
  writer.list(count * 2);
  for (const name of partNames) {
    const part = image[name];
    if (part === undefined) continue;
    writer.value(name);
    writer.value(part);
  }
}

type Part = Exclude<keyof AgentImage, keyof Whole>;
type Whole = Pick<
  AgentImage,
  'lineage' | 'epoch' | 'version' | 'at' | 'stateVersion' | 'state' | 'hasState'
>;

/** What an agent may lack. A record, so that none can be left out. */
const parts: Record<Part, true> = {
  streams: true,
  keys: true,
  outbox: true,
  numbers: true,
  inbox: true,
  timers: true,
  runs: true,
  signals: true,
  dead: true,
  cuts: true,
};
const partNames = Object.keys(parts) as Part[];

type Packed = readonly [
  head: readonly [string, number, number, number, number, boolean],
  state: unknown,
  place: readonly [Uint8Array, number, number, boolean, number, number, string?],
  cuts: readonly number[],
  present: readonly unknown[],
];

/** Unpacks an agent. */
export function unpackAgent(rested: RestedAgent): LoadedAgent {
  // The codec is exact, and nothing else makes such strings.
  const [head, state, place, cuts, present] = decodeValue(Buffer.from(rested, 'latin1')) as Packed;
  const [lineage, epoch, version, at, stateVersion, hasState] = head;
  const [chain, tail, wakeAt, needsWhole, ...others] = place;
  const [recordsSinceSnapshot, bytesSinceSnapshot, newLineage] = others;
  const parts: Record<string, unknown> = {};
  for (let index = 0; index < present.length; index += 2) {
    parts[present[index] as string] = present[index + 1];
  }
  return {
    image: { lineage, epoch, version, at, stateVersion, state, hasState, ...parts },
    chain: Buffer.from(chain).toString('latin1'),
    tail,
    wakeAt,
    needsWhole,
    newLineage,
    recordsSinceSnapshot,
    bytesSinceSnapshot,
    snapshots: snapshotsOf(cuts),
    snapshotBytes: cuts[0] as number,
  };
}

function snapshotsOf(cuts: readonly number[]): SnapshotPlace[] {
  const snapshots: SnapshotPlace[] = [];
  for (let index = 1; index < cuts.length; index += 2) {
    snapshots.push({ seq: cuts[index] as number, version: cuts[index + 1] as number });
  }
  return snapshots;
}
