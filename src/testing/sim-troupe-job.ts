/**
 * The task of the simulated agents: carries out the parts of a job one after another. Each step
 * writes its start and end outside, and with its start that it stands on all that ended before it.
 */
import type { StepCall, StepOptions, TaskContext } from '../agent/contexts.ts';
import { TroupeError } from '../core/errors.ts';
import type { CellContract, CellTurn } from './sim-troupe-contract.ts';
import {
  type Deed,
  type Job,
  type Part,
  type StepPart,
  splitAddress,
  type Tally,
  withOrigin,
} from './sim-troupe-deeds.ts';
import type { DeedTools, Surroundings } from './sim-troupe-surroundings.ts';

/** What a job stands on. */
export interface JobTools extends DeedTools, Surroundings {
  act(ctx: CellTurn, deed: Deed, tools: DeedTools): Tally | Promise<Tally>;
}

type JobContext = TaskContext<CellContract, string>;

interface Bench {
  readonly ctx: JobContext;
  readonly tools: JobTools;
  /** Steps of parts that have ended, by their idempotency keys. */
  readonly ended: string[];
  /** Steps of the part at hand; those that go on together do not stand on each other. */
  readonly fresh: string[];
  /** What the parts brought so far. */
  readonly results: string[];
  /** Counts what was sent, for its order. */
  readonly sent: Map<string, number>;
}

/** Runs a job; its answer tells what each part brought. */
export async function runJob(ctx: JobContext, job: Job, tools: JobTools): Promise<string[]> {
  const bench: Bench = { ctx, tools, ended: [], fresh: [], results: [], sent: new Map() };
  for (const [place, part] of job.parts.entries()) {
    bench.results.push(await resultOf(() => carryOut(bench, part, `${ctx.runId}/${place}`)));
    bench.ended.push(...bench.fresh.splice(0));
  }
  return bench.results;
}

async function resultOf(task: () => Promise<string>): Promise<string> {
  try {
    return await task();
  } catch (error) {
    // The job goes on whatever its parts do; only what ends the run itself is passed on.
    if (!TroupeError.is(error) || error.code === 'CANCELLED') throw error;
    return `failed: ${error.code}`;
  }
}

async function carryOut(bench: Bench, part: Part, command: string): Promise<string> {
  const { ctx, tools } = bench;
  if (part.kind === 'step') return step(bench, part);
  if (part.kind === 'together') {
    return (await Promise.all(part.steps.map(each => resultOf(() => step(bench, each))))).join(' ');
  }
  if (part.kind === 'update') {
    const deed = { ...part.deed, command };
    // A turn may run ahead of records that it stands on: it fails with them.
    const tally = await ctx.update(turn => tools.act(turn, deed, tools));
    return `updated to ${tally.turns}`;
  }
  if (part.kind === 'wait') {
    const nudge = await ctx.waitFor('nudge', { timeout: part.ms, default: null });
    return nudge === null ? 'not nudged' : `nudged by ${nudge.id}`;
  }
  if (part.kind === 'sleep') await ctx.sleep(part.ms);
  if (part.kind === 'write') ctx.write(`${command} after ${bench.results.length}`);
  if (part.kind === 'send') send(bench, part, command);
  if (part.kind === 'call' || part.kind === 'look') return call(bench, part, command);
  return part.kind;
}

function send({ ctx, tools, sent }: Bench, part: Part & { kind: 'send' }, command: string): void {
  const { to, lane, deed } = part.errand;
  const { type, key } = splitAddress(to);
  const place = `${lane} ${to}`;
  const number = (sent.get(place) ?? 0) + 1;
  sent.set(place, number);
  const origin = { sender: ctx.runId, lane, number };
  ctx.send(tools.contracts[type], key, 'act', withOrigin({ ...deed, command }, origin), {
    priority: lane,
  });
}

async function call(
  { ctx, tools }: Bench,
  part: Part & { kind: 'call' | 'look' },
  command: string,
): Promise<string> {
  const { type, key } = splitAddress(part.to);
  const ref = ctx.get(tools.contracts[type], key);
  const tally =
    part.kind === 'look'
      ? await ref.execute('look')
      : await ref.execute('act', { ...part.deed, command });
  return `saw ${tally.total} after ${tally.turns}`;
}

async function step(bench: Bench, part: StepPart): Promise<string> {
  const { ctx, fresh } = bench;
  let id = '';
  const body = (called: StepCall) => {
    id = called.idempotencyKey;
    return perform(bench, part, id);
  };
  const result = await ctx.step(part.name, { ms: part.ms }, body, optionsOf(part));
  if (id !== '' && part.isPure !== true) fresh.push(id);
  return result;
}

function optionsOf(part: StepPart): StepOptions<string> {
  const { key, isPure, attempts, onUnknown } = part;
  return {
    ...(key === undefined ? {} : { key }),
    ...(isPure === true ? { pure: true } : {}),
    ...(attempts === undefined ? {} : { retry: { attempts, backoff: 50 } }),
    onUnknown: onUnknown === 'find' ? () => ({ value: 'found' }) : (onUnknown ?? 'retry'),
  };
}

async function perform(bench: Bench, part: StepPart, id: string): Promise<string> {
  const { clock, notes, random } = bench.tools;
  // What only computes has no effect that could be repeated, or come too early.
  const isNoted = part.isPure !== true;
  if (isNoted) begin(bench, part, id);
  await new Promise<void>(resolve => {
    clock.setTimer(part.ms, resolve);
  });
  if (isNoted) notes.step('ended', id);
  if (random.next() < (part.throws ?? 0)) {
    throw new TroupeError('POOL_EXHAUSTED', { detail: 'this step was told to throw' });
  }
  return `${part.name} in ${notes.incarnation}: ${random.hex(4)}`;
}

/** A step begins, and with it something that stands on every step that has ended. */
function begin({ tools, ended }: Bench, part: StepPart, id: string): void {
  const { notes } = tools;
  for (const each of ended) notes.step('used', each);
  notes.attempts(id, part.attempts ?? 1);
  notes.step('started', id);
}
