/**
 * The simulated world of the real runtime: node, client and engine as they are, on a virtual clock,
 * a disk that lies, and callers who write down what they saw. One seed is one world: it warms up,
 * suffers, heals, and has then to show that it kept every promise.
 */
import { TroupeError } from '../core/errors.ts';
import { MemoryLogs } from '../engines/memory/log.ts';
import { HistoryRecorder, type Violation } from './history.ts';
import { drawFaults, heal, scheduleFaults } from './sim-faults.ts';
import { bootFailureText, type SimProcess } from './sim-process.ts';
import { reportWorld, type SimReport, type SimScenarioOptions } from './sim-runner.ts';
import { readLogs } from './sim-troupe-audit.ts';
import { type CallerBench, CallerDiary } from './sim-troupe-callers.ts';
import { checkTroupe } from './sim-troupe-checks.ts';
import { TroupeDraws } from './sim-troupe-draws.ts';
import { drillEmbedded, drillMemory } from './sim-troupe-drills.ts';
import { faultListFor } from './sim-troupe-fault-points.ts';
import type { TroupeHistory } from './sim-troupe-history.ts';
import { bootTroupe, type TroupeHabitat, type TroupeProgram } from './sim-troupe-node.ts';
import { Notebook } from './sim-troupe-notes.ts';
import { drawPlan, type TroupeEngine, type TroupePlan } from './sim-troupe-plan.ts';
import { TroupeServers } from './sim-troupe-servers.ts';
import { Witness } from './sim-troupe-witness.ts';
import { TroupeWorkload, tidyMs } from './sim-troupe-workload.ts';
import { SimWorld } from './sim-world.ts';

const hourMs = 3_600_000;
const warmUpMs = 10_000;
/** How long after the last fault everything must have come to its end. */
const endedWithinMs = 300_000;
const settleMs = tidyMs + 120_000;
const operationsMin = 3_000;
const faultsMin = 300;
/** Where servers fail for seconds, callers find nobody to come at once to. */
const burstShareMin = { embedded: 0.3, memory: 0.3, nats: 0.15 } as const;
const alarming = /LOG_|INVARIANT|MISMATCH|cannot go on/;
const unavailableGapMs = 90_000;
const unavailableMsMax = 3_000;
const eventsPerSecondMax = 300_000;

/** Why a node may not start: a disk that refuses, or servers that are out of reach. */
const refusals: ReadonlySet<string> = new Set([
  ...['ENGINE_FAILED', 'DISK_FULL', 'ENGINE_UNAVAILABLE', 'NO_QUORUM'],
]);

interface Drill {
  isOn: boolean;
  refusal: unknown;
  servers: TroupeServers | undefined;
}

interface TroupeWorld {
  readonly world: SimWorld;
  readonly plan: TroupePlan;
  readonly node: SimProcess<TroupeProgram>;
  readonly bench: CallerBench;
  readonly habitat: TroupeHabitat;
}

/** What one seed showed, with all that was seen. */
export interface TroupeRun {
  readonly report: SimReport;
  /** Absent when the logs could not be read in the end. */
  readonly history: TroupeHistory | undefined;
}

/** Runs one seed. */
export async function scenario(options: SimScenarioOptions): Promise<SimReport> {
  return (await runTroupe(options)).report;
}

/** Runs one seed, and keeps what was seen. */
export async function runTroupe(options: SimScenarioOptions): Promise<TroupeRun> {
  // Thousands of errors are expected, and nobody looks where they were made.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await runWorld(options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runWorld(options: SimScenarioOptions): Promise<TroupeRun> {
  const drill: Drill = { isOn: false, refusal: undefined, servers: undefined };
  const engine = engineOf(options.engine);
  const { points: faultPoints, kinds, meetings } = faultListFor(engine);
  const world = new SimWorld({
    seed: options.seed,
    onTraceLine: options.onTraceLine,
    faultPoints,
    eventsPerSecondMax,
    onBootFailure(process, error) {
      if (drill.isOn) {
        drill.refusal = error;
        return;
      }
      // A disk that refuses is a reason not to start; anything else is a bug.
      if (isRefusedForAnother(drill.servers, error)) world.countMet('lease-refused');
      else if (!isRefusal(error)) world.violate('boot', bootFailureText(process, error));
      process.start(1_000);
    },
  });
  // What never fires shows as 0.
  for (const kind of kinds) world.faultCounts.set(kind, 0);
  for (const each of meetings) world.metCounts.set(each, 0);
  try {
    const endMs = options.hours * hourMs;
    const troupe = build(world, { endMs, drill, engine });
    await suffer(troupe, endMs);
    await recover(troupe, endMs);
    const history = await audit(troupe, endMs);
    if (history === undefined) world.violate('audit', 'the final logs cannot be read');
    const violations = history === undefined ? [] : checkTroupe(history);
    const coverage = coverageOf(troupe, options.hours);
    drill.isOn = true;
    await runDrill(troupe, drill);
    return { history, report: report(troupe, options.hours, [...violations, ...coverage]) };
  } finally {
    world.close();
  }
}

interface Building {
  readonly endMs: number;
  readonly drill: Drill;
  readonly engine: TroupeEngine | undefined;
}

function build(world: SimWorld, { endMs, drill, engine }: Building): TroupeWorld {
  const { faults } = world.streams;
  const plan = drawPlan(world.seed, faults.fork('plan'), engine);
  const recorder = new HistoryRecorder(() => world.nowMs);
  const nextOrder = () => recorder.nextOrder();
  const habitat: TroupeHabitat = {
    plan,
    memory: new MemoryLogs({ random: faults.fork('engine') }),
    servers: plan.engine === 'nats' ? serversOf(world) : undefined,
    witness: new Witness(nextOrder),
    notebook: new Notebook(nextOrder),
    isAlive: life => node.isLiving(life),
    isLeft: life => node.isLiving(life) && node.incarnation !== life,
    // A node whose engine has failed is stopped by whoever looks after it, and started again.
    onFailure: life => stopSoon({ world, node, habitat }, life),
    onAlarm: text => {
      if (!drill.isOn && alarming.test(text)) world.violate('alarm', text);
    },
  };
  const node: SimProcess<TroupeProgram> = world.addProcess<TroupeProgram>({
    name: 'node',
    clock: { driftPpm: faults.between(-200, 200) },
    boot: ports => bootTroupe(ports, habitat),
  });
  drill.servers = habitat.servers;
  const diary = new CallerDiary();
  return { world, plan, node, habitat, bench: { world, node, recorder, diary, endMs } };
}

function engineOf(name: string | undefined): TroupeEngine | undefined {
  if (name === undefined || name === 'embedded' || name === 'memory' || name === 'nats') {
    return name;
  }
  throw new TroupeError('CONFIG_INVALID', {
    detail: `there is no simulated engine ${name}; name embedded, memory or nats`,
  });
}

function serversOf(world: SimWorld): TroupeServers {
  return new TroupeServers({ world, random: world.streams.faults.fork('servers') });
}

function stopSoon(
  { world, node, habitat }: Pick<TroupeWorld, 'world' | 'node' | 'habitat'>,
  life: number,
): void {
  world.scheduler.schedule({
    delayMs: world.streams.faults.between(0, 500),
    kind: 'stop-failed',
    task: () => {
      if (node.isAlive && node.incarnation === life) world.crash(node, 'kill');
      else habitat.servers?.troubles.end(life);
    },
  });
}

async function suffer({ world, plan, node, bench, habitat }: TroupeWorld, endMs: number) {
  const { faults } = world.streams;
  node.start();
  await world.run({ untilMs: 1_000, isDone: () => node.program !== undefined });
  const draws = new TroupeDraws(plan, world.streams.workload);
  const workload = new TroupeWorkload(bench, plan, draws);
  workload.start();
  habitat.servers?.onDoubt(() => workload.lookAround());
  await world.run({ untilMs: Math.min(warmUpMs, endMs) });
  world.faultPoints.crashProbability = plan.crashProbability;
  const { faultKinds: kinds, faultGapMs: gapMs } = plan;
  const schedule = { kinds, gapMs, targets: [node.name], fromMs: world.nowMs, untilMs: endMs };
  // The second fault of a pair may lie behind the end.
  const drawn = drawFaults(faults, schedule).filter(({ atMs }) => atMs < endMs);
  scheduleFaults(world, drawn);
  if (plan.engine === 'memory') troubleEngine({ world, plan, habitat }, endMs);
  habitat.servers?.suffer(world.nowMs, endMs);
  await world.run({ untilMs: endMs });
}

function troubleEngine(
  { world, plan, habitat }: Pick<TroupeWorld, 'world' | 'plan' | 'habitat'>,
  endMs: number,
): void {
  const switches = habitat.memory.faults;
  for (const [kind, rate] of plan.engineFaults) switches.rate(kind, rate);
  const luck = world.streams.faults.fork('outages');
  const next = () => {
    const delayMs = luck.exponential(unavailableGapMs);
    if (world.nowMs + delayMs >= endMs) return;
    world.scheduler.schedule({ delayMs, kind: 'outage', task: begin });
  };
  const begin = () => {
    world.countFault('engine-unavailable');
    switches.isUnavailable = true;
    const delayMs = luck.between(1, unavailableMsMax);
    world.scheduler.schedule({ delayMs, kind: 'outage-ends', task: end });
  };
  const end = () => {
    switches.isUnavailable = false;
    next();
  };
  next();
}

/** Faults are over: everything that was begun has to come to its end. */
async function recover({ world, plan, node, habitat }: TroupeWorld, endMs: number): Promise<void> {
  heal(world);
  for (const kind of habitat.servers === undefined ? plan.engineFaults.keys() : []) {
    const fired = habitat.memory.faults.fired(kind);
    const counted = world.faultCounts.get(`engine-${kind}`) ?? 0;
    world.faultCounts.set(`engine-${kind}`, counted + fired);
  }
  habitat.memory.faults.clear();
  habitat.servers?.heal();
  // Timers and sleeps may lie in the future of a clock that was set back.
  node.machineClock.settle();
  await world.run({ untilMs: endMs + settleMs });
}

async function audit(
  { world, node, bench, habitat }: TroupeWorld,
  endMs: number,
): Promise<TroupeHistory | undefined> {
  const logs = await readLogs(world, node, habitat.witness);
  const program = node.program;
  if (logs === undefined || program === undefined) return undefined;
  return {
    logs,
    limits: { healedMs: endMs, withinMs: endedWithinMs, endMs: world.nowMs },
    operations: bench.recorder.operations,
    diary: bench.diary,
    notebook: habitat.notebook,
    mayForget: habitat.plan.mothLimits.idle !== undefined,
    wallMs: program.now(),
  };
}

async function runDrill({ plan, bench, habitat }: TroupeWorld, drill: Drill): Promise<void> {
  const { witness, memory, servers } = habitat;
  const store = servers ?? memory;
  const options = {
    bench,
    witness,
    refusal: () => drill.refusal,
    regress: (name: string, count: number) => store.regress(name, count),
    damage: (name: string) => store.damage(name),
    // Servers do not look into messages: whoever reads them does.
    isReadAnew: servers !== undefined,
  };
  await (plan.engine === 'embedded' ? drillEmbedded(options) : drillMemory(options));
}

/** An hour in which too little happened has shown too little. */
function coverageOf({ world, plan, bench }: TroupeWorld, hours: number): Violation[] {
  const operations = bench.recorder.operations.length;
  const faults = [...world.faultCounts.values()].reduce((sum, count) => sum + count, 0);
  const bursts = bench.diary.inBursts / operations;
  const missing = [
    operations < operationsMin * hours ? `${operations} operations` : undefined,
    faults < faultsMin * hours ? `${faults} faults` : undefined,
    bursts < burstShareMin[plan.engine]
      ? `${Math.round(bursts * 100)} % of operations in bursts`
      : undefined,
  ];
  // A part of an hour is a look at a seed, not a proof.
  if (hours < 1) return [];
  return missing
    .filter(each => each !== undefined)
    .map(each => ({ check: 'coverage', message: `only ${each}` }));
}

function report(troupe: TroupeWorld, hours: number, violations: readonly Violation[]): SimReport {
  const { world, bench } = troupe;
  const operations = bench.recorder.operations.length;
  return reportWorld(world, { hours, operations, violations });
}

/** Whether a start was refused because another life of the node goes on. */
function isRefusedForAnother(servers: TroupeServers | undefined, error: unknown): boolean {
  const isRefused = TroupeError.is(error) && error.code === 'CONFIG_INVALID';
  return isRefused && servers?.troubles.isRefusalDue === true;
}

function isRefusal(error: unknown): boolean {
  return TroupeError.is(error) && refusals.has(error.code);
}
