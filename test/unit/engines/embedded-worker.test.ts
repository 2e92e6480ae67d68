/** The storage worker on a real directory: what the thread around the store adds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restore } from '../../../src/engines/embedded/backup.ts';
import type { EmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { openEmbeddedLogInWorker } from '../../../src/engines/embedded/worker-log.ts';
import { systemDisk } from '../../../src/engines/system/disk.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { put, putEach, textsOf } from '../../helpers/log-steps.ts';

const entry = new URL('../../../src/node/storage-worker.ts', import.meta.url);
let root = '';

function open(name = 'data', more = {}): Promise<EmbeddedLog> {
  return openEmbeddedLogInWorker({ entry, directory: join(root, name), ...more });
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'troupe-worker-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('the storage worker', () => {
  it('keeps every append of many agents, and their order', async () => {
    await using log = await open();
    const names = Array.from({ length: 300 }, (_, n) => `agent/${n}`);
    await Promise.all(names.map(name => putEach(log, name, ['one', 'two', '!three', 'four'])));
    const latest = await Promise.all(names.map(name => log.readLatest(name)));
    expect(new Set(latest.map(slice => textsOf(slice).join()))).toEqual(new Set(['!three,four']));
  });

  it('passes on errors with code, outcome and data', async () => {
    await using log = await open('data', { limits: { recordBytesMax: 1_000 } });
    expect(log.capabilities.recordBytesMax).toBe(1_000);
    const large = log.append('a/1', 0, [{ bytes: new Uint8Array(1_001) }]);
    await expect(large).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      outcome: 'not-executed',
    });
    await expect(log.trim('a/1', 5)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('says why it does not open', async () => {
    await using log = await open();
    await expect(open()).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    expect(log.epoch).toBe(1);
    const missing = new URL('./no-such-worker.ts', import.meta.url);
    const lost = openEmbeddedLogInWorker({ entry: missing, directory: join(root, 'other') });
    await expect(lost).rejects.toMatchObject({ code: 'ENGINE_FAILED', outcome: 'not-executed' });
  });

  it('keeps heads whole across the thread, also when nothing is to be done', async () => {
    await using log = await open();
    await log.append('a/1', 0, [{ bytes: new Uint8Array(1) }], { wakeAt: 0 });
    await put(log, 'a/2', 0, 'x');
    const { heads } = await log.heads({ prefix: 'a/' });
    expect(heads.map(({ name, wakeAt }) => [name, wakeAt])).toEqual([
      ['a/1', 0],
      ['a/2', Number.POSITIVE_INFINITY],
    ]);
  });

  it('backs up, surveys and repairs', async () => {
    await using log = await open();
    await putEach(log, 'a/1', ['one', 'two']);
    const report = await log.backUp(join(root, 'backup'));
    expect(report).toMatchObject({ segmentCount: 1, epoch: 1 });
    expect(await log.survey('a/1')).toMatchObject({ remedy: 'none', readableCount: 2 });
    expect(textsOf({ records: await log.exportReadable('a/1') })).toEqual(['one', 'two']);
    expect(await log.repair('a/1')).toMatchObject({ remedy: 'none' });
    const source = systemDisk(join(root, 'backup'));
    const target = systemDisk(join(root, 'restored'));
    await restore({ source, target, random: systemRandom() });
    await using restored = await open('restored');
    expect(textsOf(await restored.readLatest('a/1'))).toEqual(['one', 'two']);
  });

  it('refuses everything once it is closed', async () => {
    const log = await open();
    await put(log, 'a/1', 0, 'one');
    await Promise.all([log.close(), log.close()]);
    const closed = { code: 'NOT_STARTED' };
    await expect(log.append('a/1', 0, [{ bytes: new Uint8Array(1) }])).rejects.toMatchObject(
      closed,
    );
    await expect(log.readLatest('a/1')).rejects.toMatchObject(closed);
  });
});
