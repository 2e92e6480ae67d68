/** The laws of the Disk port: files, names, locks. What a loss of power does is no part of them. */
import { diskFileLaws } from './disk-file-laws.ts';
import { type DiskSubject, put, textAt } from './disk-law-steps.ts';
import { diskModelLaws } from './disk-model-law.ts';
import { bytesOf, mustEqual, mustFail, readText } from './law-checks.ts';
import type { Law } from './laws.ts';

const nameLaws: readonly Law<DiskSubject>[] = [
  {
    name: 'knows which files and directories exist',
    async run({ disk }) {
      mustEqual(await disk.exists('a'), false, 'a file that was never made');
      mustEqual(await disk.exists('no/such/directory/a'), false, 'a file in no directory');
      await put(disk, 'a', 'x');
      await disk.makeDirectory('deep/er');
      mustEqual(await disk.exists('a'), true, 'a file');
      mustEqual([await disk.exists('deep'), await disk.exists('deep/er')], [true, true], 'both');
    },
  },
  {
    name: 'lists a directory sorted, and one that is missing as empty',
    async run({ disk }) {
      mustEqual(await disk.list('none'), [], 'a directory there is not');
      await disk.makeDirectory('logs/inner');
      mustEqual(await disk.list('logs/inner'), [], 'an empty directory');
      for (const name of ['b', 'a', 'c-10', 'c-9', 'B']) await put(disk, `logs/${name}`, 'x');
      const expected = ['B', 'a', 'b', 'c-10', 'c-9', 'inner'];
      mustEqual(await disk.list('logs'), expected, 'the names');
    },
  },
  {
    name: 'makes directories with their parents, again and again',
    async run({ disk }) {
      await disk.makeDirectory('one/two/three');
      await put(disk, 'one/two/three/a', 'kept');
      await disk.makeDirectory('one/two/three');
      await disk.makeDirectory('one');
      mustEqual(await textAt(disk, 'one/two/three/a'), 'kept', 'what is in it');
    },
  },
  {
    name: 'renames a file over another, and nothing is left under the old name',
    async run({ disk }) {
      await put(disk, 'new', 'new');
      await put(disk, 'current', 'a longer old text');
      await disk.rename('new', 'current');
      await disk.flushDirectory('');
      mustEqual(await textAt(disk, 'current'), 'new', 'what is under the name');
      mustEqual(await disk.list(''), ['current'], 'the names');
    },
  },
  {
    name: 'renames into another directory, and refuses a source that is missing',
    async run({ disk }) {
      await disk.makeDirectory('one');
      await disk.makeDirectory('two');
      await put(disk, 'one/a', 'moved');
      await disk.rename('one/a', 'two/b');
      mustEqual([await disk.list('one'), await disk.list('two')], [[], ['b']], 'the names');
      await mustFail(disk.rename('one/a', 'two/c'), 'ENGINE_FAILED', 'renaming nothing');
      mustEqual(await textAt(disk, 'two/b'), 'moved', 'what was moved');
    },
  },
  {
    name: 'removes a file, and does no harm where there is none',
    async run({ disk }) {
      await put(disk, 'a', 'x');
      await disk.remove('a');
      await disk.remove('a');
      await disk.remove('none/b');
      mustEqual([await disk.exists('a'), await disk.list('')], [false, []], 'what is left');
      await disk.flushDirectory('');
      await put(disk, 'a', 'fresh');
      mustEqual(await textAt(disk, 'a'), 'fresh', 'a file of the same name');
    },
  },
  {
    name: 'has everything that was flushed after it is opened again',
    needs: ['reopen'],
    async run({ disk, reopen }) {
      await disk.makeDirectory('logs');
      await put(disk, 'logs/a', 'kept');
      await disk.flushDirectory('logs');
      await disk.flushDirectory('');
      const again = (await reopen?.()) ?? disk;
      mustEqual(await textAt(again, 'logs/a'), 'kept', 'what is found');
    },
  },
];

const lockLaws: readonly Law<DiskSubject>[] = [
  {
    name: 'gives a lock to one holder at a time',
    async run({ disk }) {
      for (let round = 0; round < 3; round++) {
        const lock = await disk.lock('lock');
        const error = await mustFail(disk.lock('lock'), 'DATA_LOCKED', 'locking twice');
        mustEqual(error.outcome, 'not-executed', 'the outcome');
        await lock.release();
        await lock.release();
      }
    },
  },
  {
    name: 'lets exactly one of several that ask at once have the lock',
    async run({ disk }) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => disk.lock('lock')));
      const holders = results.filter(result => result.status === 'fulfilled');
      mustEqual(holders.length, 1, 'the number of holders');
      for (const holder of holders) await holder.value.release();
      await (await disk.lock('lock')).release();
    },
  },
  {
    name: 'does not give back the lock of a later holder when an earlier one releases again',
    async run({ disk }) {
      const first = await disk.lock('lock');
      await first.release();
      const second = await disk.lock('lock');
      await first.release();
      await mustFail(disk.lock('lock'), 'DATA_LOCKED', 'locking what the second holds');
      await second.release();
    },
  },
  {
    name: 'keeps locks of different names apart',
    async run({ disk }) {
      await disk.makeDirectory('deep');
      const locks = [await disk.lock('one'), await disk.lock('two'), await disk.lock('deep/one')];
      for (const lock of locks) await lock.release();
    },
  },
  {
    name: 'shares a lock between views of the same disk',
    needs: ['reopen'],
    async run({ disk, reopen }) {
      const lock = await disk.lock('lock');
      const other = (await reopen?.()) ?? disk;
      await mustFail(other.lock('lock'), 'DATA_LOCKED', 'locking from another view');
      await lock.release();
      await (await other.lock('lock')).release();
    },
  },
];

const sharingLaws: readonly Law<DiskSubject>[] = [
  {
    name: 'shows to every handle of a file what any of them wrote',
    async run({ disk }) {
      const writer = await disk.open('a', 'create');
      const reader = await disk.open('a', 'read');
      await writer.write(0, bytesOf('hello'));
      mustEqual(readText(await reader.read(0, 10)), 'hello', 'what the other handle reads');
      await writer.truncate(2);
      mustEqual(await reader.size(), 2, 'the size at the other handle');
      await writer.close();
      await reader.close();
    },
  },
];

/** What every engine keeps that offers a disk. */
export const diskLaws: readonly Law<DiskSubject>[] = [
  ...diskFileLaws,
  ...nameLaws,
  ...sharingLaws,
  ...lockLaws,
  ...diskModelLaws,
];
