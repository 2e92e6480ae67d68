/**
 * The embedded store against a model: random appends, trims, repairs of power, restarts. Small
 * limits make segments roll, checkpoints and compactions happen all the time, and each crash tears
 * what was not flushed at a random byte.
 */
import { describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const limits = { segmentBytes: 6_000, checkpointBytesMin: 3_000, reserveBytes: 256 };
const names = Array.from({ length: 12 }, (_, index) => `a/${index}`);

interface Model {
  records: { seq: number; text: string; isSnapshot: boolean }[];
  wakeAt: number;
}

interface Run {
  readonly draw: SimRandom;
  readonly model: Map<string, Model>;
  readonly points: Map<string, number>;
  disk: MemoryDisk;
  log: EmbeddedLog;
}

async function runSeed(seed: number): Promise<Run> {
  const draw = new SimRandom(`embedded-crash/${seed}`);
  const model = new Map(names.map(name => [name, { records: [], wakeAt: Infinity } as Model]));
  const disk = new MemoryDisk();
  const points = new Map<string, number>();
  const run: Run = { draw, model, points, disk, log: await open(disk, points) };
  for (let step = 0; step < 300; step += 1) {
    const kind = draw.below(100);
    if (kind < 80) await Promise.all(pick(run).map(name => append(run, name)));
    else if (kind < 92) await trim(run, pick(run)[0] ?? 'a/0');
    else if (kind < 94) await restart(run, draw.chance(0.5));
    else await compare(run, pick(run)[0] ?? 'a/0');
  }
  await restart(run, false);
  for (const name of names) await compare(run, name);
  return run;
}

function open(disk: MemoryDisk, points: Map<string, number>): Promise<EmbeddedLog> {
  const onFaultPoint = (name: string) => void points.set(name, (points.get(name) ?? 0) + 1);
  return openEmbeddedLog({ disk, random: systemRandom(), limits, onFaultPoint });
}

function pick({ draw }: Run): string[] {
  return names.filter(() => draw.chance(0.3));
}

async function append({ log, model, draw }: Run, name: string): Promise<void> {
  const known = model.get(name);
  if (known === undefined) return;
  const tail = known.records.at(-1)?.seq ?? 0;
  const texts = Array.from({ length: 1 + draw.below(3) }, () => 'x'.repeat(draw.below(120)));
  const marks = texts.map(() => draw.chance(0.2));
  const records = texts.map((text, at) => ({ bytes: Buffer.from(text), isSnapshot: marks[at] }));
  const wakeAt = draw.chance(0.2) ? draw.below(100) : undefined;
  const result = await log.append(name, tail, records, { wakeAt });
  expect(result.status).toBe('accepted');
  const { records: stored } = await log.read(name, { after: tail });
  for (const [at, { seq }] of stored.entries()) {
    known.records.push({ seq, text: texts[at] ?? '', isSnapshot: marks[at] ?? false });
  }
  if (wakeAt !== undefined) known.wakeAt = wakeAt;
}

async function trim({ log, model, draw }: Run, name: string): Promise<void> {
  const known = model.get(name);
  const snapshots = known?.records.filter(record => record.isSnapshot) ?? [];
  const before = draw.pick(snapshots)?.seq;
  if (known === undefined || before === undefined) return;
  await log.trim(name, before);
  known.records = known.records.filter(({ seq }) => seq >= before);
}

async function restart(run: Run, isClean: boolean): Promise<void> {
  if (isClean) await run.log.close();
  run.disk = run.disk.afterCrash(isClean ? 'all' : 'flushed');
  if (!isClean) tearTail(run);
  run.log = await open(run.disk, run.points);
}

/** A batch that was under way leaves a part of itself behind the last flushed byte. */
function tearTail({ disk, draw }: Run): void {
  const paths = [...disk.files.keys()].filter(path => path.startsWith('log/')).sort();
  const last = disk.files.get(paths.at(-1) ?? '');
  if (last === undefined || draw.chance(0.3)) return;
  const garbage = Uint8Array.from({ length: draw.below(300) }, () => draw.below(256));
  const grown = new Uint8Array(last.size + garbage.length);
  grown.set(last.bytes.subarray(0, last.size));
  grown.set(garbage, last.size);
  last.bytes = grown;
  last.size = grown.length;
}

async function compare({ log, model }: Run, name: string): Promise<void> {
  const known = model.get(name);
  const { records, tail } = await log.read(name, { after: 0 });
  const found = records.map(({ seq, bytes, isSnapshot }) => ({
    seq,
    text: Buffer.from(bytes).toString(),
    isSnapshot,
  }));
  expect(found).toEqual(known?.records);
  expect(tail).toBe(known?.records.at(-1)?.seq ?? 0);
  const { heads } = await log.heads({ prefix: name });
  const head = heads.find(each => each.name === name);
  if (tail > 0) expect(head?.wakeAt).toBe(known?.wakeAt);
}

describe('the embedded store against a model', () => {
  const points = new Map<string, number>();
  for (let seed = 1; seed <= 12; seed += 1) {
    it(`holds for seed ${seed}`, async () => {
      const run = await runSeed(seed);
      for (const [name, count] of run.points) points.set(name, (points.get(name) ?? 0) + count);
    });
  }

  it('has passed every named fault point', () => {
    expect([...points.keys()].sort()).toEqual(
      [
        'checkpoint.renamed',
        'checkpoint.written',
        'commit.before-write',
        'commit.flushed',
        'commit.written',
        'compaction.durable',
        'compaction.renamed',
        'compaction.written',
        'open.epoch-raised',
        'recovery.before-cut',
        'recovery.cut',
        'segment.created',
      ].sort(),
    );
  });
});
