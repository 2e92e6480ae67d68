/**
 * The laws of the Blob port: what is stored is found by its hash, and only what is old is swept.
 */

import { textOf } from '../core/errors.ts';
import type { Blob } from '../ports/blob.ts';
import type { Clock } from '../ports/clock.ts';
import { bytesOf, must, mustEqual, mustFail, pass, patternBytes, sameBytes } from './law-checks.ts';
import type { Law } from './laws.ts';
import { SimRandom } from './sim-random.ts';

/** Blobs to check, none at first. */
export interface BlobSubject {
  readonly blob: Blob;
  /** The clock that says how old blobs are. */
  readonly clock: Clock;
  /** Closes the store and opens it again, as a restart does. */
  readonly reopen?: (() => Promise<Blob>) | undefined;
  /** Changes a bit of a stored blob. */
  readonly damage?: ((id: string) => Promise<void>) | undefined;
}

const helloHash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const storeLaws: readonly Law<BlobSubject>[] = [
  {
    name: 'names bytes by their SHA-256 in lower-case hexadecimal',
    async run({ blob }) {
      mustEqual(await blob.put(bytesOf('hello')), helloHash, 'the id of "hello"');
      mustEqual(await blob.put(new Uint8Array()), emptyHash, 'the id of no bytes');
    },
  },
  {
    name: 'gives back what was stored, from nothing to megabytes',
    async run({ blob }) {
      for (const length of [0, 1, 255, 65_536, 3_000_000]) {
        const bytes = patternBytes(length);
        const found = await blob.get(await blob.put(bytes));
        must(found !== undefined && sameBytes(found, bytes), `${length} bytes come back the same`);
      }
    },
  },
  {
    name: 'has nothing under an id that was never stored, however odd',
    async run({ blob }) {
      await blob.put(bytesOf('hello'));
      const odd = [emptyHash, '', 'x', '../escape', helloHash.toUpperCase(), `${helloHash}0`];
      for (const id of odd) mustEqual(await blob.get(id), undefined, `what is found at "${id}"`);
    },
  },
  {
    name: 'gives the same bytes the same id, also at once',
    async run({ blob }) {
      const ids = await Promise.all(Array.from({ length: 20 }, () => blob.put(bytesOf('hello'))));
      mustEqual([...new Set(ids)], [helloHash], 'the ids');
      mustEqual(await blob.get(helloHash), bytesOf('hello'), 'what is found');
    },
  },
  {
    name: 'shares no bytes with its callers',
    async run({ blob }) {
      const bytes = bytesOf('hello');
      const id = await blob.put(bytes);
      bytes.fill(0);
      (await blob.get(id))?.fill(0);
      mustEqual(await blob.get(id), bytesOf('hello'), 'what is found');
    },
  },
  {
    name: 'has every blob after it is opened again',
    needs: ['reopen'],
    async run({ blob, reopen }) {
      const id = await blob.put(patternBytes(100_000));
      const again = (await reopen?.()) ?? blob;
      mustEqual(await again.get(id), patternBytes(100_000), 'what is found');
    },
  },
  {
    name: 'shows damage instead of damaged bytes',
    needs: ['damage'],
    async run({ blob, damage }) {
      const id = await blob.put(bytesOf('hello'));
      const sound = await blob.put(bytesOf('sound'));
      await damage?.(id);
      await mustFail(blob.get(id), 'LOG_CORRUPT', 'reading a damaged blob');
      mustEqual(await blob.get(sound), bytesOf('sound'), 'another blob');
    },
  },
  {
    name: 'may be closed twice and refuses everything after that',
    async run({ blob }) {
      await Promise.all([blob.close(), blob.close()]);
      await mustFail(blob.put(bytesOf('x')), 'NOT_STARTED', 'storing');
      await mustFail(blob.get(helloHash), 'NOT_STARTED', 'reading');
      await mustFail(blob.sweep(new Set(), 0), 'NOT_STARTED', 'sweeping');
    },
  },
];

const sweepLaws: readonly Law<BlobSubject>[] = [
  {
    name: 'sweeps what is old and not kept, and says how many',
    async run({ blob, clock }) {
      const kept = await blob.put(bytesOf('kept'));
      const old = [await blob.put(bytesOf('one')), await blob.put(bytesOf('two'))];
      await pass(clock, 30);
      mustEqual(await blob.sweep(new Set([kept, 'unknown']), 10), 2, 'the number swept');
      for (const id of old) mustEqual(await blob.get(id), undefined, 'what was swept');
      mustEqual(await blob.get(kept), bytesOf('kept'), 'what was kept');
      mustEqual(await blob.sweep(new Set([kept]), 10), 0, 'the number swept the second time');
    },
  },
  {
    name: 'sweeps nothing that is young',
    async run({ blob }) {
      const id = await blob.put(bytesOf('young'));
      mustEqual(await blob.sweep(new Set(), 3_600_000), 0, 'the number swept');
      mustEqual(await blob.get(id), bytesOf('young'), 'what is found');
    },
  },
  {
    name: 'counts bytes that are stored again as young',
    async run({ blob, clock }) {
      const again = await blob.put(bytesOf('again'));
      const once = await blob.put(bytesOf('once'));
      await pass(clock, 400);
      await blob.put(bytesOf('again'));
      mustEqual(await blob.sweep(new Set(), 300), 1, 'the number swept');
      mustEqual(await blob.get(once), undefined, 'what was stored once');
      mustEqual(await blob.get(again), bytesOf('again'), 'what was stored again');
    },
  },
  {
    name: 'stores again what was swept',
    async run({ blob, clock }) {
      const id = await blob.put(bytesOf('hello'));
      await pass(clock, 30);
      await blob.sweep(new Set(), 10);
      mustEqual(await blob.put(bytesOf('hello')), id, 'the id');
      mustEqual(await blob.get(id), bytesOf('hello'), 'what is found');
    },
  },
  {
    name: 'agrees with a model over random operations',
    async run(subject) {
      const random = new SimRandom('blob-model/1');
      try {
        await runModel(subject, random);
      } catch (error) {
        throw new Error(`seed blob-model/1: ${textOf(error)}`, { cause: error });
      }
    },
  },
];

async function runModel({ blob, clock }: BlobSubject, random: SimRandom): Promise<void> {
  const model = new Map<string, Uint8Array>();
  for (let count = 0; count < 200; count++) {
    const draw = random.below(20);
    if (draw < 10) {
      const bytes = patternBytes(random.below(2_000), random.below(4));
      model.set(await blob.put(bytes), bytes);
    } else if (draw < 19) {
      const id = random.pick([...model.keys()]) ?? emptyHash;
      mustEqual(await blob.get(id), model.get(id), `what is found at ${id}`);
    } else {
      await pass(clock, 5);
      const keep = new Set([...model.keys()].filter(() => random.chance(0.5)));
      const swept = [...model.keys()].filter(id => !keep.has(id));
      mustEqual(await blob.sweep(keep, 1), swept.length, 'the number swept');
      for (const id of swept) model.delete(id);
    }
  }
}

/** What every engine keeps that offers blobs. */
export const blobLaws: readonly Law<BlobSubject>[] = [...storeLaws, ...sweepLaws];
