/** The laws of one open file: reading, writing, truncating, closing. */
import { type DiskSubject, put, textAt } from './disk-law-steps.ts';
import {
  bytesOf,
  must,
  mustEqual,
  mustFail,
  patternBytes,
  readText,
  sameBytes,
} from './law-checks.ts';
import type { Law } from './laws.ts';

/** See {@link DiskSubject}. */
export const diskFileLaws: readonly Law<DiskSubject>[] = [
  {
    name: 'reads what was written, and less only at the end of the file',
    async run({ disk }) {
      await put(disk, 'a', 'hello world');
      const file = await disk.open('a', 'read');
      mustEqual(await file.size(), 11, 'the size');
      const parts: readonly (readonly [number, number, string])[] = [
        [0, 5, 'hello'],
        [6, 5, 'world'],
        [6, 100, 'world'],
        [11, 5, ''],
        [500, 5, ''],
        [3, 0, ''],
      ];
      for (const [offset, length, expected] of parts) {
        const text = readText(await file.read(offset, length));
        mustEqual(text, expected, `${length} bytes from ${offset}`);
      }
      await file.close();
    },
  },
  {
    name: 'overwrites in the middle and fills a gap with zeros',
    async run({ disk }) {
      await put(disk, 'a', 'hello');
      const file = await disk.open('a', 'write');
      await file.write(1, bytesOf('ELL'));
      await file.write(8, bytesOf('!'));
      mustEqual(readText(await file.read(0, 20)), 'hELLo\0\0\0!', 'what is read');
      mustEqual(await file.size(), 9, 'the size');
      await file.close();
    },
  },
  {
    name: 'shortens and lengthens a file, with zeros where nothing was written',
    async run({ disk }) {
      await put(disk, 'a', 'hello');
      const file = await disk.open('a', 'write');
      await file.truncate(2);
      mustEqual(readText(await file.read(0, 20)), 'he', 'a shorter file');
      await file.truncate(4);
      mustEqual(readText(await file.read(0, 20)), 'he\0\0', 'a longer file');
      await file.flush();
      await file.close();
    },
  },
  {
    name: 'opens a file with all that is in it',
    async run({ disk }) {
      await put(disk, 'a', 'kept');
      for (const mode of ['create', 'write', 'read'] as const) {
        const file = await disk.open('a', mode);
        mustEqual(readText(await file.read(0, 10)), 'kept', `what is read in mode ${mode}`);
        await file.close();
      }
    },
  },
  {
    name: 'makes a file only when asked to',
    async run({ disk }) {
      await mustFail(disk.open('a', 'read'), 'ENGINE_FAILED', 'reading a file there is not');
      await mustFail(disk.open('a', 'write'), 'ENGINE_FAILED', 'writing a file there is not');
      mustEqual(await disk.exists('a'), false, 'whether it exists');
      await (await disk.open('a', 'create')).close();
      mustEqual([await disk.exists('a'), await textAt(disk, 'a')], [true, ''], 'the new file');
    },
  },
  {
    name: 'refuses a file in a directory that is missing',
    async run({ disk }) {
      await mustFail(disk.open('none/a', 'create'), 'ENGINE_FAILED', 'making it');
      mustEqual(await disk.exists('none'), false, 'whether the directory exists');
    },
  },
  {
    name: 'takes writes that are issued without waiting',
    async run({ disk }) {
      const file = await disk.open('a', 'create');
      const bytes = patternBytes(64 * 1_000);
      const parts = Array.from({ length: 64 }, (_, index) => index * 1_000);
      await Promise.all(
        parts.map(offset => file.write(offset, bytes.subarray(offset, offset + 1_000))),
      );
      await Promise.all([file.flush(), file.flush()]);
      must(sameBytes(await file.read(0, bytes.length), bytes), 'all of them are there');
      await file.close();
    },
  },
  {
    name: 'keeps megabytes',
    async run({ disk }) {
      const bytes = patternBytes(3_000_000);
      const file = await disk.open('a', 'create');
      await file.write(0, bytes);
      await file.flush();
      must(sameBytes(await file.read(0, bytes.length), bytes), 'what is read is the same');
      const tail = await file.read(2_999_000, 5_000);
      must(sameBytes(tail, bytes.subarray(2_999_000)), 'the end is the same');
      await file.close();
    },
  },
  {
    name: 'gives bytes of its own: changing what was read changes nothing',
    async run({ disk }) {
      await put(disk, 'a', 'mine');
      const file = await disk.open('a', 'read');
      (await file.read(0, 4)).fill(0);
      mustEqual(readText(await file.read(0, 4)), 'mine', 'what is read after that');
      await file.close();
    },
  },
  {
    name: 'changes nothing in a file that is open for reading',
    async run({ disk }) {
      await put(disk, 'a', 'kept');
      const file = await disk.open('a', 'read');
      await mustFail(file.write(0, bytesOf('lost')), 'ENGINE_FAILED', 'writing');
      await mustFail(file.truncate(0), 'ENGINE_FAILED', 'truncating');
      await file.close();
      mustEqual(await textAt(disk, 'a'), 'kept', 'what is in it');
    },
  },
  {
    name: 'refuses everything on a file that was closed',
    async run({ disk }) {
      const file = await disk.open('a', 'create');
      await file.close();
      const other = await disk.open('b', 'create');
      await mustFail(file.write(0, bytesOf('x')), 'ENGINE_FAILED', 'writing');
      await mustFail(file.read(0, 1), 'ENGINE_FAILED', 'reading');
      await mustFail(file.size(), 'ENGINE_FAILED', 'asking for the size');
      await mustFail(file.flush(), 'ENGINE_FAILED', 'flushing');
      await mustFail(file.truncate(0), 'ENGINE_FAILED', 'truncating');
      mustEqual(await other.size(), 0, 'the size of a file opened since');
      await other.close();
    },
  },
];
