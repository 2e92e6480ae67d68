/**
 * The embedded store on the simulated disk: power fails at fault points and at random, names that
 * were not flushed are lost, flushes fail, the disk fills up. Each agent has one client that
 * numbers its records; whatever happens, what was acknowledged is there, in order, without gaps.
 */
import { describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { applyFault, heal, type SimFaultKind } from '../../../src/testing/sim-faults.ts';
import type { SimProcess } from '../../../src/testing/sim-process.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';
import { textsOf } from '../../helpers/log-steps.ts';

const limits = { segmentBytes: 5_000, checkpointBytesMin: 3_000, reserveBytes: 512 };
const kinds: SimFaultKind[] = ['kill', 'power-loss', 'disk-full', 'failed-flush', 'failed-write'];
const runMs = 60_000;
const rarePoints = [
  'compaction.written',
  'compaction.renamed',
  'compaction.durable',
  'checkpoint.written',
  'checkpoint.renamed',
  'segment.created',
  'recovery.before-cut',
  'recovery.cut',
  'open.epoch-raised',
];

interface Program {
  readonly log: EmbeddedLog;
  stop(): Promise<void>;
}

/** What a client knows of its log. */
class Client {
  readonly name: string;
  /** The highest number that was acknowledged, and the highest that was tried. */
  acknowledged = 0;
  tried = 0;
  /** The lowest number that may be gone, because a trim to it was tried. */
  trimmed = 1;
  acceptedCount = 0;
  readonly #draw: SimRandom;

  constructor(name: string) {
    this.name = name;
    this.#draw = new SimRandom(`client/${name}`);
  }

  /** Reads, checks, and appends one record, sometimes as a snapshot with a trim. */
  async act({ log }: Program): Promise<void> {
    const slice = await log.read(this.name, { after: 0, recordsMax: 100_000 });
    const numbers = textsOf(slice).map(text => Number.parseInt(text, 10));
    this.check(numbers);
    const last = numbers.at(-1) ?? 0;
    this.acknowledged = last;
    this.tried = last + 1;
    const isSnapshot = this.#draw.chance(0.2);
    const bytes = Buffer.from(`${this.tried} ${'x'.repeat(this.#draw.below(150))}`);
    const result = await log.append(this.name, slice.tail, [{ bytes, isSnapshot }]);
    if (result.status !== 'accepted') return;
    this.acknowledged = this.tried;
    this.acceptedCount += 1;
    if (!isSnapshot || this.#draw.chance(0.4)) return;
    this.trimmed = this.tried;
    await log.trim(this.name, result.seq);
  }

  check(numbers: readonly number[]): void {
    const first = numbers[0] ?? 1;
    expect(numbers).toEqual(numbers.map((_, index) => first + index));
    expect(first).toBeLessThanOrEqual(this.trimmed);
    expect(numbers.at(-1) ?? 0).toBeGreaterThanOrEqual(this.acknowledged);
    expect(numbers.at(-1) ?? 0).toBeLessThanOrEqual(this.tried);
  }
}

async function simulate(seed: number) {
  const problems: unknown[] = [];
  const world = new SimWorld({
    seed,
    onBootFailure(process, error) {
      // On a full or failing disk a process may be unable to start; it tries again.
      if (!/DISK_FULL|ENGINE_FAILED/.test(String(error))) problems.push(error);
      process.start(500);
    },
  });
  const process: SimProcess<Program> = world.addProcess<Program>({
    name: 'store',
    boot: async ({ disk, random, onFaultPoint }) => {
      const log = await openEmbeddedLog({ disk, random, onFaultPoint, limits });
      log.onFailure(() => world.crash(process as unknown as SimProcess, 'kill'));
      return { log, stop: () => log.close() };
    },
  });
  const draw = new SimRandom(`faults/${seed}`);
  const clients = Array.from({ length: 6 }, (_, index) => new Client(`agent/${seed}-${index}`));
  const soon = (task: () => void) =>
    world.scheduler.schedule({ delayMs: draw.below(40), kind: 'client', task });
  const turn = (client: Client) => {
    const done = () => void (world.nowMs < runMs && soon(() => turn(client)));
    process
      .call('act', program => client.act(program))
      .then(done, error => {
        // A process that is down or failing answers so; everything else is a finding.
        if (!/NODE_UNREACHABLE|ENGINE_FAILED|DISK_FULL/.test(String(error))) problems.push(error);
        done();
      });
  };
  const misfortune = () => {
    const kind = draw.pick(kinds) ?? 'kill';
    applyFault(world, { atMs: 0, kind, target: 'store', durationMs: 200, severity: 1 });
    const delayMs = 500 + draw.below(4_000);
    if (world.nowMs < runMs) world.scheduler.schedule({ delayMs, kind: 'fault', task: misfortune });
  };
  process.start();
  world.faultPoints.crashProbability = 0.004;
  for (const client of clients) soon(() => turn(client));
  soon(misfortune);
  // Rare points would else be left to luck.
  for (const [at, name] of rarePoints.entries()) {
    const delayMs = 1_000 + at * 6_000;
    const task = () => world.faultPoints.arm(name);
    world.scheduler.schedule({ delayMs, kind: 'arm', task });
  }
  try {
    await world.run({ untilMs: runMs + 1_000 });
    heal(world);
    await world.run({ untilMs: runMs + 30_000 });
    for (const client of clients) soon(() => turn(client));
    await world.run({ untilMs: runMs + 40_000 });
  } finally {
    world.close();
  }
  return { problems, clients, world };
}

describe('the embedded store on the simulated disk', () => {
  const fired = new Set<string>();
  for (let seed = 1; seed <= 6; seed += 1) {
    it(`loses nothing that it acknowledged, seed ${seed}`, async () => {
      const { problems, clients, world } = await simulate(seed);
      expect(problems).toEqual([]);
      expect(world.violations).toEqual([]);
      expect(world.crashRestarts).toBeGreaterThan(5);
      const accepted = clients.reduce((sum, client) => sum + client.acceptedCount, 0);
      expect(accepted).toBeGreaterThan(500);
      for (const [name, count] of world.faultPoints.counts) if (count.fired > 0) fired.add(name);
    });
  }

  it('has crashed at every rare fault point', () => {
    expect(rarePoints.filter(name => !fired.has(name))).toEqual([]);
  });
});
