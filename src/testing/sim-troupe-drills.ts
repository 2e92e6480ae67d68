/**
 * What comes after the audit: damage that no engine can prevent. Each seed does one thing to its
 * store and starts anew; what was confirmed has then to be there, or its absence has to be said.
 */
import { TroupeError, textOf } from '../core/errors.ts';
import { heal } from './sim-faults.ts';
import { readKept } from './sim-troupe-audit.ts';
import { type CallerBench, refOf } from './sim-troupe-callers.ts';
import type { TroupeProgram } from './sim-troupe-node.ts';
import { trueLog } from './sim-troupe-truth.ts';
import type { Witness } from './sim-troupe-witness.ts';

/** What a drill works with. */
export interface DrillOptions {
  readonly bench: CallerBench;
  readonly witness: Witness;
  /** Makes the memory engine forget the newest records of a log. */
  regress(name: string, count: number): void;
  /** Lets the memory engine notice damage in a log. */
  damage(name: string): void;
  /** Whether damage shows only when a log is read anew, by a life that has not read it. */
  readonly isReadAnew: boolean;
  /** Why the last boot was refused, if it was. */
  refusal(): unknown;
}

const drillMs = 60_000;
const flipsMax = 3;
const triesMax = 5;
const callsInDrill = 12;
const patienceMax = 30;
const pauseMs = 1_000;
const patientMs = 18_000;
/** Shorter than any restart. */
const landingMs = 4;
// What a caller is told as long as it is not known how it stands.
const passing = new Set(['DEADLINE_EXCEEDED', 'VERSION_CONFLICT', 'NODE_UNREACHABLE']);
// What tells an operator that records are damaged or gone.
const loud = new Set(['LOG_CORRUPT', 'LOG_REGRESSED', 'ENGINE_UNSUPPORTED', 'CONFIG_INVALID']);

/** Damages the files of an embedded store: at rest, or by writes that land in wrong places. */
export async function drillEmbedded(options: DrillOptions): Promise<void> {
  const { world, node } = options.bench;
  const { faults } = world.streams;
  if (faults.chance(0.5)) {
    node.device.misdirectNext = 1;
    const names = [...options.witness.logs.keys()].slice(0, callsInDrill);
    for (let tries = 0; tries < triesMax && node.device.misdirectNext > 0; tries++) {
      await callAll(options, names);
    }
    // What lands elsewhere with the very last commit leaves no mark: only a later one tells of it.
    await callAll(options, names);
    world.crash(node, faults.chance(0.5) ? 'kill' : 'power-loss');
  } else {
    world.crash(node, 'kill');
    const flips = 1 + faults.below(flipsMax);
    for (let count = 0; count < flips; count++) node.device.flipBit();
  }
  heal(world);
  const isSettled = () => node.program !== undefined || options.refusal() !== undefined;
  await world.run({ untilMs: world.nowMs + drillMs, isDone: isSettled });
  const { program } = node;
  if (program !== undefined) await judge(options, program);
  else if (!isLoud(options.refusal())) {
    const why = textOf(options.refusal() ?? 'no reason was given');
    world.violate('damage', `the damaged store was refused without saying so: ${why}`);
  }
}

/** Everything confirmed is there, or it is said that it is not. */
async function judge(options: DrillOptions, program: TroupeProgram): Promise<void> {
  const { bench, witness } = options;
  const { cut, losses = [] } = program.recovery ?? {};
  if (cut !== undefined || losses.length > 0) return;
  const before = witness.now();
  for (const name of witness.logs.keys()) {
    const [kept] = await settled(bench, [() => readKept(program.log, name)]);
    if (isLoud(kept)) continue;
    if (!Array.isArray(kept)) {
      bench.world.violate('damage', `${name} cannot be read: ${textOf(kept)}`);
      continue;
    }
    // Only `readKept` resolves with an array.
    const { violations } = trueLog(name, kept as Awaited<ReturnType<typeof readKept>>, {
      log: witness.of(name),
      before,
    });
    for (const { message } of violations) bench.world.violate('damage', `silently: ${message}`);
  }
}

/** Makes the memory engine lose the end of a log, or notice damage in it: both have to be loud. */
export async function drillMemory(options: DrillOptions): Promise<void> {
  const { bench } = options;
  const { world, node } = bench;
  const { faults } = world.streams;
  const name = faults.pick([...options.witness.logs.keys()]);
  const { program } = node;
  if (name === undefined || program === undefined) return;
  const [before] = await callAll(options, [name]);
  if (TroupeError.is(before) || before === undefined) return;
  const isRegressed = faults.chance(0.5);
  world.countFault(isRegressed ? 'engine-regressed' : 'engine-damaged');
  if (isRegressed) options.regress(name, 1 + faults.below(3));
  else if (options.isReadAnew) await damageBetweenLives(options, name);
  else options.damage(name);
  const after = await untilSettled(options, name);
  if (!isLoud(after)) {
    world.violate('damage', `${name} lost what it had confirmed and answered ${textOf(after)}`);
  }
}

/**
 * What an agent answers: servers that lag may yet have what is missed, so readers wait for a while
 * before they say that it is gone.
 */
async function untilSettled(options: DrillOptions, name: string): Promise<unknown> {
  const { world } = options.bench;
  for (let tries = 0; ; tries++) {
    const [answer] = await callAll(options, [name]);
    const isOpen = TroupeError.is(answer) && passing.has(answer.code);
    if (!options.isReadAnew || !isOpen || tries === patienceMax) return answer;
    await world.run({ untilMs: world.nowMs + pauseMs });
  }
}

/** What was on its way when the node died lands first: it could stand for what is damaged. */
async function damageBetweenLives({ bench, damage }: DrillOptions, name: string): Promise<void> {
  const { world, node } = bench;
  world.crash(node, 'kill');
  await world.run({ untilMs: world.nowMs + landingMs });
  damage(name);
  const isUp = () => node.program !== undefined;
  await world.run({ untilMs: world.nowMs + drillMs, isDone: isUp });
}

/** Asks each agent for one more turn; answers and errors in order. */
function callAll(
  { bench, isReadAnew }: DrillOptions,
  names: readonly string[],
): Promise<unknown[]> {
  const { nowMs } = bench.world;
  // Whoever gives up sooner than a log is given up may never be told.
  const patience = isReadAnew ? { timeout: patientMs } : {};
  const tasks = names.map((name, place) => (program: TroupeProgram) => {
    const command = `drill-${nowMs}-${place}`;
    return refOf(program, name).execute('act', { command, amount: 1 }, patience);
  });
  return settled(bench, tasks);
}

/** Runs the world until tasks of the node have ended; what they threw are results, too. */
async function settled(
  { world, node }: CallerBench,
  tasks: readonly ((program: TroupeProgram) => Promise<unknown>)[],
): Promise<unknown[]> {
  const results: unknown[] = tasks.map(() => undefined);
  let open = tasks.length;
  for (const [place, task] of tasks.entries()) {
    const end = (result: unknown) => {
      results[place] = result;
      open--;
    };
    node.call('drill', task).then(end, end);
  }
  await world.run({ untilMs: world.nowMs + drillMs, isDone: () => open === 0 });
  return results;
}

function isLoud(error: unknown): boolean {
  return TroupeError.is(error) && loud.has(error.code);
}
