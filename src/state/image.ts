/**
 * The image of an agent: what the fold over its log yields, and all that is needed to go on.
 * Records are applied here and nowhere else, live and in recovery alike, so that a restart cannot
 * differ.
 */
import { TroupeError } from '../core/errors.ts';
import type { AgentImage, KeyEntry } from './agent-image.ts';
import type { OutboxEntry, Retention } from './entries.ts';
import { applyPatch } from './patch.ts';
import type { Op, TurnRecord } from './record.ts';
import { beginRun, endRun, type Run, runDueAt } from './runs.ts';
import { consume, forgetStreams } from './streams.ts';

/** The image of an agent that nothing was recorded of. */
export function emptyImage(lineage: string, epoch: number, stateVersion: number): AgentImage {
  return { lineage, epoch, version: 0, at: 0, stateVersion, state: undefined, hasState: false };
}

/**
 * Applies a record. The image is changed in place; its state is replaced, never changed.
 *
 * @throws `LOG_CORRUPT` when an operation is none that this code knows.
 */
export function applyRecord(image: AgentImage, record: TurnRecord, retention: Retention): void {
  for (const op of record.ops) applyOp(image, op, record, retention);
  applyHeader(image, record);
}

/**
 * Applies a record that was just made, whose state is at hand already.
 *
 * @remarks Equal to {@link applyRecord} because a patch yields the state it was computed from.
 */
export function applyOwnRecord(
  image: AgentImage,
  record: TurnRecord,
  retention: Retention,
  state: unknown,
): void {
  for (const op of record.ops) {
    if (op[0] === 'image') continue;
    if (op[0] === 'state' || op[0] === 'whole') {
      image.state = state;
      image.hasState = true;
    } else applyOp(image, op, record, retention);
  }
  applyHeader(image, record);
}

function applyHeader(image: AgentImage, record: TurnRecord): void {
  image.epoch = record.epoch;
  image.version = record.version;
  image.at = record.at;
  image.stateVersion = record.stateVersion;
}

function applyOp(image: AgentImage, op: Op, record: TurnRecord, retention: Retention): void {
  const apply = appliers[op[0]] as
    | ((image: AgentImage, op: Op, record: TurnRecord, retention: Retention) => void)
    | undefined;
  if (apply === undefined) {
    throw new TroupeError('LOG_CORRUPT', {
      detail: `record ${record.id} holds an unknown operation ${String(op[0])}`,
    });
  }
  apply(image, op, record, retention);
}

type Applier<K extends Op[0]> = (
  image: AgentImage,
  op: Extract<Op, readonly [K, ...unknown[]]>,
  record: TurnRecord,
  retention: Retention,
) => void;

const appliers: { readonly [K in Op[0]]: Applier<K> } = {
  state(image, [, change]) {
    image.state = applyPatch(image.state, change);
    image.hasState = true;
  },
  whole(image, [, state]) {
    image.state = state;
    image.hasState = true;
  },
  event() {},
  consume(image, [, sender, lane, number, floor, reply], record, retention) {
    image.streams ??= new Map();
    consume(image.streams, { sender, lane, number, floor, reply, at: record.at });
    if (image.streams.size > streamsSweptAbove) forgetStreams(image.streams, record.at, retention);
  },
  key(image, [, key, fingerprint, reply], record, retention) {
    image.keys ??= new Map();
    image.keys.delete(key);
    image.keys.set(key, { fingerprint, reply, at: record.at });
    forgetKeys(image.keys, record.at - retention.resultWindowMs);
  },
  send(image, [, entry]) {
    image.outbox ??= new Map();
    image.outbox.set(entry.id, entry);
    image.numbers ??= new Map();
    image.numbers.set(numberKey(entry), entry.number);
  },
  sent(image, [, ids]) {
    for (const id of ids) image.outbox?.delete(id);
  },
  timer(image, [, id, entry]) {
    image.timers ??= new Map();
    image.timers.set(id, entry);
  },
  untimer(image, [, id]) {
    image.timers?.delete(id);
  },
  inbox(image, [, entry]) {
    image.inbox ??= new Map();
    image.inbox.set(entry.id, entry);
  },
  uninbox(image, [, id]) {
    image.inbox?.delete(id);
  },
  dead(image, [, letter]) {
    image.dead ??= new Map();
    image.dead.set(letter.id, letter);
  },
  undead(image, [, id]) {
    image.dead?.delete(id);
  },
  run(image, [, start]) {
    image.runs ??= new Map();
    image.runs.set(start.id, beginRun(start));
  },
  effect(image, [, runId, identity, effect]) {
    image.runs?.get(runId)?.effects.set(identity, effect);
  },
  chunk(image, [, runId, chunk, kept]) {
    const run = image.runs?.get(runId);
    if (run === undefined) return;
    run.chunks.push(chunk);
    if (run.chunks.length <= kept) return;
    run.chunks.shift();
    run.chunksDropped += 1;
  },
  ended(image, [, runId, reply], record, retention) {
    const run = image.runs?.get(runId);
    if (run === undefined || run.reply !== undefined || image.runs === undefined) return;
    // What was meant for this run alone finds nobody any more.
    if (image.signals !== undefined) {
      image.signals = image.signals.filter(signal => signal.runId !== runId);
    }
    image.runs.delete(runId);
    image.runs.set(runId, endRun(run, reply, record.at));
    forgetRuns(image.runs, record.at - retention.resultWindowMs);
  },
  signal(image, [, entry]) {
    image.signals = [...(image.signals ?? []), entry];
  },
  unsignal(image, [, id]) {
    image.signals = image.signals?.filter(entry => entry.id !== id);
  },
  delete(image, _op, record) {
    image.state = undefined;
    image.hasState = false;
    image.timers = undefined;
    image.signals = undefined;
    const cancelled = [
      'error',
      { code: 'CANCELLED', outcome: 'executed', detail: 'the agent was deleted' },
      record.version,
    ] as const;
    for (const run of [...(image.runs?.values() ?? [])]) {
      if (run.reply === undefined) image.runs?.set(run.id, endRun(run, cancelled, record.at));
    }
  },
  lineage(image, [, lineage]) {
    beginLineage(image, lineage);
  },
  owner() {},
  image(image, [, whole]) {
    Object.assign(image, cleared, whole);
  },
};

/**
 * Numbers anew under another lineage. Messages that are still promised keep their number and
 * lineage, so that a receiver that has consumed one knows it again.
 */
export function beginLineage(image: AgentImage, lineage: string): void {
  for (const entry of image.outbox?.values() ?? []) {
    if (entry.lineage !== undefined) continue;
    image.outbox?.set(entry.id, { ...entry, lineage: image.lineage });
  }
  image.lineage = lineage;
  image.numbers = undefined;
}

const cleared = {
  streams: undefined,
  keys: undefined,
  outbox: undefined,
  numbers: undefined,
  inbox: undefined,
  timers: undefined,
  runs: undefined,
  signals: undefined,
  dead: undefined,
  cuts: undefined,
} satisfies Partial<AgentImage>;

/** Whether nothing was ever recorded but who owns the agent. */
export function isOnlyOwned(image: AgentImage): boolean {
  return image.version === 0 && !traces.some(part => image[part] !== undefined);
}

const traces = ['streams', 'keys', 'outbox', 'inbox', 'timers', 'runs', 'signals', 'dead'] as const;

/** Above so many senders, those that were silent for their window are forgotten. */
const streamsSweptAbove = 64;

/** Under which name the numbering towards a receiver and lane is kept. */
export function numberKey(entry: Pick<OutboxEntry, 'type' | 'key' | 'priority'>): string {
  return `${entry.priority} ${entry.type}/${entry.key}`;
}

/**
 * The earliest time at which the agent has work of its own: 0 for at once, `Infinity` for none at
 * all.
 */
export function wakeAtOf(image: AgentImage): number {
  if (hasAny(image.outbox) || hasAny(image.inbox)) return 0;
  let wakeAt = hasAny(image.dead) ? noticedAt : Number.POSITIVE_INFINITY;
  for (const timer of image.timers?.values() ?? []) wakeAt = Math.min(wakeAt, timer.dueAt);
  for (const run of image.runs?.values() ?? []) {
    if (run.reply === undefined) wakeAt = Math.min(wakeAt, runDueAt(run), noticedAt);
  }
  return wakeAt;
}

/**
 * The wake time of agents that wait for nothing but a person or a signal, or keep dead letters: the
 * last moment a date can name. It never comes, and makes them findable without reading every log.
 */
export const noticedAt = 8_640_000_000_000_000;

function hasAny(map: ReadonlyMap<string, unknown> | undefined): boolean {
  return map !== undefined && map.size > 0;
}

/** Keys are kept in the order of their last change, so the oldest come first. */
function forgetKeys(keys: Map<string, KeyEntry>, before: number): void {
  for (const [key, entry] of keys) {
    if (entry.at >= before) return;
    if (entry.reply !== null) keys.delete(key);
  }
}

function forgetRuns(runs: Map<string, Run>, before: number): void {
  for (const [id, run] of runs) {
    if (run.endedAt !== undefined && run.endedAt < before) runs.delete(id);
  }
}
