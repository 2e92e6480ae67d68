/**
 * A world for the simulator around the counter program: callers with retries, faults of every kind
 * that the program promises to survive, a healed end, and all checkers over what was seen.
 */
import { TroupeError, textOf } from '../../src/core/errors.ts';
import type { FinalRecord } from '../../src/testing/check-log.ts';
import { checkRun } from '../../src/testing/checkers.ts';
import { HistoryRecorder, type Operation } from '../../src/testing/history.ts';
import type { FaultBoundary } from '../../src/testing/sim-fault-points.ts';
import {
  drawFaults,
  drawSwarm,
  heal,
  type SimFaultKind,
  scheduleFaults,
} from '../../src/testing/sim-faults.ts';
import { bootFailureText, type SimPorts, type SimProcess } from '../../src/testing/sim-process.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import {
  reportWorld,
  type SimReport,
  type SimScenarioOptions,
} from '../../src/testing/sim-runner.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import {
  type CounterBug,
  type CounterLine,
  type CounterNode,
  counterFaultPoints,
  counterFile,
  decodeLines,
  openCounterNode,
} from './counter-node.ts';

const hourMs = 3_600_000;
const callers = 8;
const burstLength = 8;
const agents = 6;
const attemptsMax = 6;
const timeoutMs = 1_000;
const healMs = 60_000;
const faultKinds = [
  'kill',
  'power-loss',
  'pause',
  'slow-disk',
  'disk-full',
  'failed-flush',
  'failed-write',
  'clock-jump',
] as const satisfies readonly SimFaultKind[];

/** How a run differs from the usual one. */
export interface CounterScenarioOptions extends SimScenarioOptions {
  readonly bug?: CounterBug | undefined;
  readonly eventsPerYield?: number | undefined;
}

/** A program that keeps counters, and the world that it has to survive. */
export interface CounterWorld {
  boot(ports: SimPorts, onFailure: () => void): Promise<CounterNode>;
  readonly faultKinds: readonly SimFaultKind[];
  readonly faultPoints: ReadonlyMap<string, FaultBoundary>;
  /** The final logs, once everything is well again. */
  records(node: SimProcess<CounterNode>): Promise<readonly FinalRecord[]>;
}

interface Bench {
  readonly world: SimWorld;
  readonly node: SimProcess<CounterNode>;
  readonly recorder: HistoryRecorder;
  readonly random: SimRandom;
}

/** Runs one seed on the plain counter program. */
export function scenario(options: CounterScenarioOptions): Promise<SimReport> {
  return runCounters(options, {
    boot: (ports, onFailure) => openCounterNode(ports, { bug: options.bug, onFailure }),
    faultKinds,
    faultPoints: counterFaultPoints,
    async records({ device }) {
      const content = device.tree.files.get(counterFile)?.durable;
      return recordsOf(content?.read(0, content.size) ?? new Uint8Array(0));
    },
  });
}

/** Runs one seed on a program that keeps counters. */
export async function runCounters(
  options: CounterScenarioOptions,
  spec: CounterWorld,
): Promise<SimReport> {
  const world = new SimWorld({
    seed: options.seed,
    onTraceLine: options.onTraceLine,
    faultPoints: spec.faultPoints,
    eventsPerYield: options.eventsPerYield,
    onBootFailure(process, error) {
      // A disk that refuses is a reason not to start; anything else is a bug.
      if (!isRefusal(error)) world.violate('boot', bootFailureText(process, error));
      process.start(1_000);
    },
  });
  try {
    const { faults } = world.streams;
    const node = world.addProcess<CounterNode>({
      name: 'node',
      clock: { driftPpm: faults.between(-200, 200) },
      boot: ports => spec.boot(ports, () => world.crash(node, 'kill')),
    });
    const recorder = new HistoryRecorder(() => world.nowMs);
    const endMs = options.hours * hourMs;
    const bench = { world, node, recorder, random: world.streams.workload };
    node.start();
    world.faultPoints.crashProbability = faults.chance(0.3) ? 0 : 0.01;
    const kinds = drawSwarm(faults, spec.faultKinds);
    const plan = { kinds, targets: ['node'], fromMs: 5_000, untilMs: endMs, gapMs: 8_000 };
    scheduleFaults(world, drawFaults(faults, plan));
    for (let caller = 0; caller < callers; caller++) startCaller(bench, caller, endMs);
    await world.run({ untilMs: endMs });
    heal(world);
    await world.run({ untilMs: endMs + healMs });
    return reportRun(bench, options.hours, await readRecords(bench, spec));
  } finally {
    world.close();
  }
}

function isRefusal(error: unknown): boolean {
  return TroupeError.is(error) && (error.code === 'ENGINE_FAILED' || error.code === 'DISK_FULL');
}

async function readRecords({ world, node }: Bench, spec: CounterWorld) {
  let records: readonly FinalRecord[] | undefined;
  const keep = (read: readonly FinalRecord[]) => {
    records = read;
  };
  spec.records(node).then(keep, error => world.violate('records', textOf(error)));
  await world.run({ untilMs: world.nowMs + healMs, isDone: () => records !== undefined });
  if (records === undefined) world.violate('records', 'the final logs cannot be read');
  return records ?? [];
}

function reportRun(
  { world, recorder }: Bench,
  hours: number,
  records: readonly FinalRecord[],
): SimReport {
  const endMs = hours * hourMs;
  const violations = checkRun({
    operations: recorder.operations,
    records,
    model: {
      initial: 0,
      apply(state: number, action, input) {
        // Only `add` carries an amount, and this file is who calls it.
        const next = action === 'add' ? state + (input as number) : state;
        return { state: next, output: next };
      },
    },
    endedLimits: { healedMs: endMs, withinMs: healMs / 2, endMs: endMs + healMs },
  });
  return reportWorld(world, { hours, operations: recorder.operations.length, violations });
}

function recordsOf(bytes: Uint8Array): FinalRecord[] {
  const { lines, hashes } = decodeLines(bytes);
  return lines.map((line, place) => recordOf(line, hashes[place] ?? ''));
}

/** A line as a record of a final log. */
export function recordOf(line: CounterLine, hash: string): FinalRecord {
  const { agent, version, epoch, command, amount, previous } = line;
  return { agent, version, epoch, command, action: 'add', input: amount, previous, hash };
}

function startCaller(bench: Bench, caller: number, endMs: number): void {
  const { world } = bench;
  const random = bench.random.fork(`caller-${caller}`);
  world.scheduler.schedule({
    delayMs: random.between(0, 2_000),
    kind: 'caller',
    task: () => void callAll({ ...bench, random }, `caller-${caller}`, endMs),
  });
}

async function callAll(bench: Bench, client: string, endMs: number): Promise<void> {
  const { world, random } = bench;
  for (let number = 0; world.nowMs < endMs; number++) {
    // One agent is hot, so that answers meet each other.
    const agent = `counter/${random.chance(0.4) ? 0 : random.below(agents)}`;
    if (random.chance(0.08)) await burst(bench, client, { agent, number });
    else if (random.chance(0.3)) await read(bench, client, agent);
    else await addUntilAnswered(bench, client, { agent, command: `${client}-${number}` });
    await world.scheduler.sleep(random.exponential(6_000));
  }
}

/** Many callers want the same agent at once: this is where answers meet each other. */
async function burst(
  bench: Bench,
  client: string,
  { agent, number }: { readonly agent: string; readonly number: number },
): Promise<void> {
  const callersOfBurst = Array.from({ length: burstLength }, (_, place) => {
    const random = bench.random.fork(`burst-${number}-${place}`);
    const command = `${client}-${number}-${place}`;
    return addUntilAnswered({ ...bench, random }, client, { agent, command });
  });
  await Promise.all(callersOfBurst);
}

async function read(bench: Bench, client: string, agent: string): Promise<void> {
  const start = { client, agent, kind: 'read', action: 'read', input: undefined } as const;
  const operation = bench.recorder.start(start);
  await finish(bench, operation, node => node.read(agent));
}

async function addUntilAnswered(
  bench: Bench,
  client: string,
  { agent, command }: { readonly agent: string; readonly command: string },
): Promise<void> {
  const amount = 1 + bench.random.below(9);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const start = { client, agent, kind: 'write', action: 'add', input: amount, command } as const;
    const operation = bench.recorder.start(start);
    await finish(bench, operation, node => node.add(agent, command, amount));
    // Answered commands are asked again now and then: the answer has to be the same.
    if (operation.status === 'ok' && !bench.random.chance(0.2)) return;
    await bench.world.scheduler.sleep(bench.random.exponential(300));
  }
}

async function finish(
  { world, node, recorder }: Bench,
  operation: Operation,
  task: (node: CounterNode) => Promise<{ total: number; stamp: Operation['stamp'] }>,
): Promise<void> {
  const late = world.scheduler.sleep(timeoutMs).then(() => 'late' as const);
  try {
    const reply = await Promise.race([node.call(operation.action, task), late]);
    if (reply === 'late') recorder.fail(operation, 'timed out');
    else recorder.answer(operation, reply.total, reply.stamp);
  } catch (error) {
    recorder.fail(operation, error);
  }
}
