/** The model law of the disk: random operations on a few files agree with arrays of bytes. */
import { textOf } from '../core/errors.ts';
import type { Disk } from '../ports/disk.ts';
import type { DiskSubject } from './disk-law-steps.ts';
import { must, mustEqual, patternBytes, sameBytes } from './law-checks.ts';
import type { Law } from './laws.ts';
import { SimRandom } from './sim-random.ts';

type Model = Map<string, Uint8Array>;

interface Run {
  readonly disk: Disk;
  readonly model: Model;
  readonly random: SimRandom;
}

const paths = ['a', 'b', 'deep/a'];

/** See {@link DiskSubject}. */
export const diskModelLaws: readonly Law<DiskSubject>[] = [
  {
    name: 'agrees with a model over random operations',
    async run({ disk }) {
      await disk.makeDirectory('deep');
      const model: Model = new Map();
      for (let seed = 1; seed <= 4; seed++) {
        const run: Run = { disk, model, random: new SimRandom(`disk-model/${seed}`) };
        try {
          for (let count = 0; count < 150; count++) await operate(run);
        } catch (error) {
          throw new Error(`seed ${seed}: ${textOf(error)}`, { cause: error });
        }
      }
    },
  },
];

async function operate(run: Run): Promise<void> {
  const { disk, model, random } = run;
  const path = random.pick(paths) ?? 'a';
  const draw = random.below(10);
  if (draw < 7) return change(run, path);
  if (draw === 7) {
    await disk.remove(path);
    model.delete(path);
  } else if (draw === 8) {
    await rename(run, path, random.pick(paths) ?? 'b');
  } else {
    const [top, deep] = [await disk.list(''), await disk.list('deep')];
    const names = [...top.filter(name => name !== 'deep'), ...deep.map(name => `deep/${name}`)];
    mustEqual(names.toSorted(), [...model.keys()].toSorted(), 'the names');
  }
}

async function rename({ disk, model }: Run, source: string, target: string): Promise<void> {
  const content = model.get(source);
  if (content === undefined || source === target) return;
  await disk.rename(source, target);
  model.delete(source);
  model.set(target, content);
}

/** Opens a file, changes it at a few places, and compares all of it. */
async function change({ disk, model, random }: Run, path: string): Promise<void> {
  const file = await disk.open(path, 'create');
  let content = model.get(path) ?? new Uint8Array();
  for (let count = 0; count < 3; count++) {
    if (random.chance(0.3)) {
      const size = random.below(3_000);
      await file.truncate(size);
      content = resized(content, size);
    } else {
      const bytes = patternBytes(random.below(500), random.below(256));
      const offset = random.below(2_500);
      await file.write(offset, bytes);
      if (bytes.length > 0)
        content = resized(content, Math.max(content.length, offset + bytes.length));
      content.set(bytes, bytes.length > 0 ? offset : 0);
    }
  }
  if (random.chance(0.2)) await file.flush();
  const found = await file.read(0, 10_000);
  must(sameBytes(found, content), `all of ${path} is as in the model`);
  mustEqual(await file.size(), content.length, `the size of ${path}`);
  await file.close();
  model.set(path, content);
}

function resized(content: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(content.subarray(0, size));
  return bytes;
}
