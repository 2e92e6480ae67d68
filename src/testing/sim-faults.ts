/**
 * The faults a world can suffer, as data: drawn from the seed before the run, so that a failing run
 * can be shrunk by leaving some out. Each seed suffers its own mix (a swarm), and troubles come in
 * pairs, because the rarest bugs need two faults on one machine within a second.
 */
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimWorld } from './sim-world.ts';

/** Every kind of fault that can be scheduled. */
export const simFaultKinds = [
  'kill',
  'power-loss',
  'pause',
  'slow-disk',
  'disk-full',
  'failed-flush',
  'failed-write',
  'failed-read',
  'bit-flip',
  'misdirected-write',
  'clock-jump',
] as const;

/** A kind of fault that can be scheduled. */
export type SimFaultKind = (typeof simFaultKinds)[number];

/** One fault that will happen. */
export interface SimFault {
  readonly atMs: number;
  readonly kind: SimFaultKind;
  /** The process that suffers it, by name. */
  readonly target: string;
  /** How long it lasts, where that makes sense. */
  readonly durationMs: number;
  /** How hard it is, from 0 to 1: how slow the disk gets, how far the clock jumps. */
  readonly severity: number;
}

/** How faults are drawn. */
export interface SimFaultPlan {
  readonly kinds: readonly SimFaultKind[];
  readonly targets: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  /** Mean time between faults, not counting the second ones. */
  readonly gapMs: number;
}

const offProbability = 0.3;
const secondProbability = 0.5;
const secondGapMs = { low: 600, high: 1_500 } as const;
const durationMs = { low: 20, high: 8_000 } as const;
const slownessMax = 1_000;
const jumpMsMax = 3_600_000;

/** The kinds of fault that one seed suffers: each of them is left out with probability 0.3. */
export function drawSwarm<Kind>(random: SimRandom, kinds: readonly Kind[]): Kind[] {
  return kinds.filter(() => !random.chance(offProbability));
}

/** The faults of a run, in order of time. */
export function drawFaults(random: SimRandom, plan: SimFaultPlan): SimFault[] {
  const faults: SimFault[] = [];
  let atMs = plan.fromMs + random.exponential(plan.gapMs);
  while (atMs < plan.untilMs) {
    const first = drawFault(random, plan, atMs);
    if (first === undefined) break;
    faults.push(first);
    if (random.chance(secondProbability)) {
      const second = drawFault(
        random,
        plan,
        atMs + random.between(secondGapMs.low, secondGapMs.high),
      );
      if (second !== undefined) faults.push({ ...second, target: first.target });
    }
    atMs += random.exponential(plan.gapMs);
  }
  return faults.sort((left, right) => left.atMs - right.atMs);
}

/** Lets the faults happen. Those that meet nobody (the process is down) are not counted. */
export function scheduleFaults(world: SimWorld, faults: readonly SimFault[]): void {
  for (const fault of faults) {
    world.scheduler.schedule({
      delayMs: fault.atMs - world.nowMs,
      kind: 'fault',
      task: () => applyFault(world, fault),
    });
  }
}

/** Lets one fault happen now. */
export function applyFault(world: SimWorld, fault: SimFault): void {
  const process = world.processes.find(each => each.name === fault.target);
  if (process?.isAlive !== true) return;
  effects[fault.kind](world, process, fault);
}

/** Ends every fault that lasts, and lets every process run: what follows must become well. */
export function heal(world: SimWorld): void {
  world.faultPoints.crashProbability = 0;
  for (const process of world.processes) {
    process.resume();
    const { device } = process;
    device.slowness = 1;
    device.isFull = false;
    device.misdirectNext = 0;
    device.failNext.write = 0;
    device.failNext.flush = 0;
    device.failNext.read = 0;
    process.start();
  }
}

type Effect = (world: SimWorld, process: SimProcess, fault: SimFault) => void;

const effects: Readonly<Record<SimFaultKind, Effect>> = {
  kill: (world, process) => world.crash(process, 'kill'),
  'power-loss': (world, process) => world.crash(process, 'power-loss'),
  pause(world, process, fault) {
    if (process.isPaused) return;
    world.countFault(fault.kind);
    process.pause();
    later(world, fault, () => process.resume());
  },
  'slow-disk'(world, { device }, fault) {
    world.countFault(fault.kind);
    device.slowness = slownessMax ** fault.severity;
    later(world, fault, () => {
      device.slowness = 1;
    });
  },
  // The device counts these itself, when an operation meets them.
  'disk-full'(world, { device }, fault) {
    device.isFull = true;
    later(world, fault, () => {
      device.isFull = false;
    });
  },
  'failed-flush'(_world, { device }) {
    device.failNext.flush++;
  },
  'failed-write'(_world, { device }) {
    device.failNext.write++;
  },
  'failed-read'(_world, { device }) {
    device.failNext.read++;
  },
  'bit-flip'(_world, { device }) {
    device.flipBit();
  },
  'misdirected-write'(_world, { device }) {
    device.misdirectNext++;
  },
  'clock-jump'(world, { machineClock }, fault) {
    world.countFault(fault.kind);
    machineClock.jump((fault.severity * 2 - 1) * jumpMsMax);
  },
};

function later(world: SimWorld, fault: SimFault, task: () => void): void {
  world.scheduler.schedule({ delayMs: fault.durationMs, kind: `${fault.kind}-ends`, task });
}

function drawFault(random: SimRandom, plan: SimFaultPlan, atMs: number): SimFault | undefined {
  const kind = random.pick(plan.kinds);
  const target = random.pick(plan.targets);
  // Short troubles are as likely as long ones.
  const spread = durationMs.high / durationMs.low;
  const lastsMs = durationMs.low * spread ** random.next();
  const severity = random.next();
  if (kind === undefined || target === undefined) return undefined;
  return { atMs, kind, target, durationMs: lastsMs, severity };
}
