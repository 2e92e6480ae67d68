/**
 * Agents at rest. An agent in memory that does nothing needs none of its machinery, so a node keeps
 * most of them packed: one string with all that the next message needs, and no read of the log.
 */

import type { SnapshotPlace } from '../state/agent-image.ts';
import { decodeValue, encodeValue } from '../state/codec.ts';
import type { LoadedAgent } from './fold.ts';

/** The smallest form of an agent in memory: bytes as a string of one byte a character. */
export type RestedAgent = string;

/** Packs an agent. */
export function packAgent(agent: LoadedAgent): RestedAgent {
  const { image, chain, tail, wakeAt, snapshots, needsWhole } = agent;
  const { lineage, epoch, version, at, stateVersion, state, hasState, ...parts } = image;
  const { recordsSinceSnapshot, bytesSinceSnapshot, snapshotBytes, newLineage } = agent;
  const counts = [recordsSinceSnapshot, bytesSinceSnapshot];
  const begun = newLineage === undefined ? [] : [newLineage];
  const place = [Buffer.from(chain, 'latin1'), tail, wakeAt, needsWhole, ...counts, ...begun];
  const cuts = [snapshotBytes, ...snapshots.flatMap(({ seq, version }) => [seq, version])];
  const head = [lineage, epoch, version, at, stateVersion, hasState];
  // Most parts are absent in most agents, and names cost as much as values.
  const present = Object.entries(parts)
    .filter(([, part]) => part !== undefined)
    .flat();
  const bytes = encodeValue([head, state, place, cuts, present]);
  // A string costs its characters and a header; a typed array of this size costs two objects more.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

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
