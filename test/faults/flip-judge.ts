/**
 * What became of a flipped bit: the copy is opened through the engine on the disk, every agent is
 * loaded and all its records are read, and both are compared with the truth.
 */
import { join } from 'node:path';
import { TroupeError } from '../../src/core/errors.ts';
import { openEmbeddedBlob } from '../../src/engines/embedded/blob.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import type { StoreLimits } from '../../src/engines/embedded/options.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { LogHead } from '../../src/ports/log.ts';
import type { FlipVerdict } from './bit-flips.ts';
import { type AgentTruth, headsOf, truthOf } from './flip-truth.ts';

/** A verdict and what led to it. */
export interface Judgement {
  readonly verdict: FlipVerdict;
  readonly detail: string;
}

/** The truth of a store. */
export interface StoreTruth {
  readonly agents: ReadonlyMap<string, AgentTruth>;
  readonly blobs: readonly string[];
}

interface Findings {
  /** What differs, and nobody said so. */
  readonly wrong: string[];
  /** What was refused with its file and offset. */
  readonly reported: string[];
}

/** Opens the log of a directory in this thread. */
export function openFlipLog(directory: string, limits: Partial<StoreLimits>): Promise<EmbeddedLog> {
  const disk = systemDisk(directory, { isBlocking: true });
  return openEmbeddedLog({ disk, random: systemRandom(), limits });
}

/** Reads everything there is in an undamaged store. */
export async function truthIn(
  directory: string,
  limits: Partial<StoreLimits>,
): Promise<StoreTruth> {
  const log = await openFlipLog(directory, limits);
  const agents = new Map<string, AgentTruth>();
  for (const head of await headsOf(log)) agents.set(head.name, await truthOf(log, head));
  await log.close();
  return { agents, blobs: await systemDisk(directory).list('blobs') };
}

/** Judges a damaged copy. */
export async function judgeCopy(
  directory: string,
  truth: StoreTruth,
  limits: Partial<StoreLimits>,
): Promise<Judgement> {
  const findings: Findings = { wrong: [], reported: [] };
  let log: EmbeddedLog;
  try {
    log = await openFlipLog(directory, limits);
  } catch (error) {
    note(findings, 'opening', error);
    return judgement(findings, [], undefined);
  }
  const { repairs, cut } = log.recovery;
  await compareAgents(log, truth, findings, cut === undefined ? never : placeOf(cut));
  await compareBlobs(directory, truth, findings);
  await log.close();
  return judgement(findings, repairs, cut && `cut ${cut.bytes} bytes at ${cut.path} ${cut.offset}`);
}

const never = Number.POSITIVE_INFINITY;

function judgement({ wrong, reported }: Findings, repairs: readonly string[], cut?: string) {
  if (wrong.length > 0) return { verdict: 'silent', detail: wrong.join('; ') } as const;
  if (cut !== undefined) return { verdict: 'reported', detail: cut } as const;
  if (reported.length > 0) return { verdict: 'reported', detail: reported.join('; ') } as const;
  if (repairs.length > 0) return { verdict: 'repaired', detail: repairs.join('; ') } as const;
  return { verdict: 'harmless', detail: '' } as const;
}

/** From which place on the recovery says that records may have been lost. */
function placeOf({ path, offset }: { readonly path: string; readonly offset: number }): number {
  return Number.parseInt(path.replace(/^log\//, ''), 16) + offset;
}

async function compareAgents(
  log: EmbeddedLog,
  { agents }: StoreTruth,
  findings: Findings,
  cutFrom: number,
): Promise<void> {
  const heads = new Map((await headsOf(log)).map(head => [head.name, head]));
  for (const name of heads.keys()) {
    if (!agents.has(name)) findings.wrong.push(`${name} is new`);
  }
  for (const [name, truth] of agents) {
    const head = heads.get(name) ?? { name, tail: 0, wakeAt: never };
    try {
      const complaint = complaintOf(truth, await truthOf(log, head), cutFrom);
      if (complaint !== undefined) findings.wrong.push(`${name} ${complaint}`);
      compareHead(truth, head, cutFrom, findings);
    } catch (error) {
      note(findings, name, error);
    }
  }
}

/** Records are missing only at the end, and only where the recovery said so. */
function complaintOf(truth: AgentTruth, found: AgentTruth, cutFrom: number): string | undefined {
  const first = truth.records[0]?.seq ?? 0;
  const records = found.records.filter(({ seq }) => seq >= first);
  const isPrefix = records.every(({ digest }, at) => digest === truth.records[at]?.digest);
  if (!isPrefix) return 'has other records';
  const missing = truth.records.slice(records.length);
  if (missing.some(({ seq }) => seq < cutFrom)) return `lost ${missing.length} records`;
  if (missing.length > 0) return undefined;
  if (found.version !== truth.version) return `has version ${found.version}`;
  return found.packed === truth.packed ? undefined : 'has another state';
}

function compareHead(truth: AgentTruth, head: LogHead, cutFrom: number, { wrong }: Findings): void {
  const last = truth.records.at(-1)?.seq ?? 0;
  if (last < cutFrom && head.wakeAt !== truth.wakeAt) wrong.push(`${head.name} wakes otherwise`);
}

async function compareBlobs(directory: string, truth: StoreTruth, findings: Findings) {
  const disk = systemDisk(directory);
  const blobs = await openEmbeddedBlob({ disk, clock: systemClock() });
  for (const id of truth.blobs) {
    try {
      const bytes = await blobs.get(id);
      const isRight = bytes?.every(byte => byte === bytes.length / 20_000) ?? false;
      if (!isRight) findings.wrong.push(`${join('blobs', id)} differs`);
    } catch (error) {
      note(findings, id, error);
    }
  }
  await blobs.close();
}

/** A report is loud when it names what is damaged: code, file and offset. */
function note({ wrong, reported }: Findings, what: string, error: unknown): void {
  const isLoud =
    TroupeError.is(error) &&
    (error.code === 'LOG_REGRESSED' ||
      error.code === 'ENGINE_UNSUPPORTED' ||
      (error.code === 'LOG_CORRUPT' && /(log\/|blobs\/|meta|index).*\d/.test(error.detail)));
  if (isLoud) reported.push(`${what}: ${error.code} ${error.detail}`);
  else wrong.push(`${what}: ${String(error)}`);
}
