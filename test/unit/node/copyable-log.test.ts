/** A log that holds still: there is a moment in which nothing is under way, and no longer. */
import { beforeEach, describe, expect, it } from 'vitest';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { CopyableLog } from '../../../src/node/copyable-log.ts';
import type { AppendResult, Log, NewRecord } from '../../../src/ports/log.ts';
import { failureOf } from '../../helpers/failure-of.ts';

const recordOf = (text: string): NewRecord => ({ bytes: Buffer.from(text), isSnapshot: true });
const ignored = async () => undefined;

/** Lets all that can go on go on. */
const turn = () => new Promise<void>(resolve => setImmediate(resolve));

let inner: Log;
let log: CopyableLog;
/** Ends the appends that reached the log below, which wait for it. */
let letGo: () => void;

beforeEach(() => {
  const memory = memoryLog();
  let isLetGo = Promise.withResolvers<void>();
  letGo = () => {
    isLetGo.resolve();
    isLetGo = Promise.withResolvers();
  };
  inner = Object.assign(Object.create(memory) as Log, {
    append: async (...parts: Parameters<Log['append']>): Promise<AppendResult> => {
      const { promise } = isLetGo;
      const result = await memory.append(...parts);
      await promise;
      return result;
    },
    read: memory.read.bind(memory),
    heads: memory.heads.bind(memory),
    trim: memory.trim.bind(memory),
    capabilities: memory.capabilities,
  });
  log = new CopyableLog(inner);
});

async function namesIn(): Promise<string[]> {
  const { heads } = await log.heads({});
  return heads.map(({ name }) => name).sort();
}

describe('a log that is copied', () => {
  it('notes a moment in which nothing is under way, and lets nothing begin in it', async () => {
    const before = log.append('a/1', 0, [recordOf('one')]);
    const noting = Promise.withResolvers<void>();
    const noted: string[][] = [];
    const note = async () => {
      await noting.promise;
      noted.push(await namesIn());
    };
    const copying = log.copied({ note, copy: ignored });
    const during = log.append('a/2', 0, [recordOf('two')]);
    noting.resolve();
    await turn();
    expect(noted).toEqual([]);
    letGo();
    await before;
    await copying;
    expect(noted).toEqual([['a/1']]);
    letGo();
    expect(await during).toMatchObject({ status: 'accepted' });
    expect(await namesIn()).toEqual(['a/1', 'a/2']);
  });

  it('goes on while it is copied, in the order of issue, with the bytes of the call', async () => {
    const copying = Promise.withResolvers<void>();
    const done = log.copied({ note: ignored, copy: () => copying.promise });
    const bytes = Buffer.from('first');
    const held = log.append('a/1', 0, [{ bytes }]);
    bytes.fill(0);
    const behind = log.append('a/1', 0, [recordOf('second')]);
    await turn();
    letGo();
    expect(await held).toMatchObject({ status: 'accepted' });
    expect(await behind).toEqual({ status: 'conflict' });
    const { records } = await log.read('a/1', { after: 0 });
    expect(records.map(record => Buffer.from(record.bytes).toString())).toEqual(['first']);
    copying.resolve();
    await done;
  });

  it('trims nothing until the copy is made', async () => {
    const appending = log.append('a/1', 0, [recordOf('one'), recordOf('two')]);
    letGo();
    const result = await appending;
    const tail = result.status === 'accepted' ? result.seq : 0;
    const count = async () => (await log.read('a/1', { after: 0 })).records.length;
    const copy = async () => {
      await log.trim('a/1', tail);
      return await count();
    };
    expect(await log.copied({ note: ignored, copy })).toBe(2);
    await log.trim('a/1', tail);
    expect(await count()).toBe(1);
  });

  it('makes one copy at a time, and goes on after one that failed', async () => {
    const copying = Promise.withResolvers<void>();
    const first = log.copied({ note: ignored, copy: () => copying.promise });
    const second = log.copied({ note: ignored, copy: ignored });
    expect(await failureOf(second)).toMatchObject({ code: 'OVERLOADED' });
    copying.resolve();
    await first;
    const note = async () => {
      throw new Error('the servers are away');
    };
    await expect(log.copied({ note, copy: ignored })).rejects.toThrow('the servers are away');
    const appending = log.append('a/1', 0, [recordOf('one')]);
    letGo();
    expect(await appending).toMatchObject({ status: 'accepted' });
    await log.copied({ note: ignored, copy: ignored });
  });
});
