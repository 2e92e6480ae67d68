/** A directory of this machine: modes, full devices, paths, and the lock between processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemDisk } from '../../../src/engines/system/disk.ts';

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'troupe-disk-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

for (const isBlocking of [false, true]) {
  describe(`a disk with ${isBlocking ? 'blocking' : 'pooled'} calls`, () => {
    it('makes the root, files and directories for their owner alone', async () => {
      const disk = systemDisk(join(root, 'data'), { isBlocking });
      await disk.makeDirectory('');
      await disk.makeDirectory('deep/er');
      await (await disk.open('deep/a', 'create')).close();
      const lock = await disk.lock('lock');
      await lock.release();
      const mode = (path: string) => fs.statSync(join(root, 'data', path)).mode & 0o777;
      expect([mode(''), mode('deep'), mode('deep/er')]).toEqual([0o700, 0o700, 0o700]);
      expect([mode('deep/a'), mode('lock')]).toEqual([0o600, 0o600]);
    });

    it('says that no space is left, and what was there before is unharmed', async () => {
      // /dev/full answers every write with ENOSPC.
      const disk = systemDisk('/dev', { isBlocking });
      const file = await disk.open('full', 'write');
      await expect(file.write(0, new Uint8Array(10))).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(file.write(0, new Uint8Array(10))).rejects.toThrow(/\/dev\/full/);
      await file.close();
    });

    it('names the path of what failed, with the cause', async () => {
      const disk = systemDisk(root, { isBlocking });
      const error = await disk.open('none', 'read').catch(each => each);
      expect(error).toMatchObject({ code: 'ENGINE_FAILED' });
      expect(error.message).toContain(join(root, 'none'));
      expect(error.cause.code).toBe('ENOENT');
    });

    it('fails a flush that the device refuses with ENGINE_FAILED', async () => {
      // A pipe cannot be flushed.
      const disk = systemDisk('/proc/self', { isBlocking });
      const file = await disk.open('status', 'read');
      await expect(file.flush()).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      await file.close();
      await expect(disk.flushDirectory('none')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    });

    it('refuses to leave its root', async () => {
      const disk = systemDisk(root, { isBlocking });
      for (const path of ['/etc/passwd', '..', '../x', 'a/../../x', 'a\0b']) {
        await expect(disk.open(path, 'read')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
        await expect(disk.remove(path)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
        await expect(disk.rename('a', path)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
        await expect(disk.lock(path)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      }
    });

    it('says at once where no directory can be made', async () => {
      fs.symlinkSync('/nowhere/at/all', join(root, 'away'));
      for (const place of [join(root, 'away'), join(root, 'away', 'data'), '/proc/troupe']) {
        const refused = systemDisk(place, { isBlocking }).makeDirectory('');
        await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
        await expect(refused).rejects.toThrow(place);
      }
    });

    it('fails on what is no file and no directory, instead of showing nothing', async () => {
      const disk = systemDisk(root, { isBlocking });
      await (await disk.open('a', 'create')).close();
      await expect(disk.list('a')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      await expect(disk.makeDirectory('a')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await disk.makeDirectory('deep');
      await expect(disk.remove('deep')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      expect(await disk.exists('a/b')).toBe(false);
    });
  });
}

describe('the lock', () => {
  const holder = join(import.meta.dirname, 'system-lock-holder.ts');

  it('is held against another process, and free when that is killed', async () => {
    const disk = systemDisk(root);
    const child = spawn(process.execPath, [holder, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(disk.lock('lock')).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    await (await disk.lock('lock')).release();
  });

  it('is held against another thread, and free when that ends', async () => {
    const disk = systemDisk(root);
    const worker = new Worker(holder, { argv: [root] });
    await once(worker, 'message');
    await expect(disk.lock('lock')).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    await worker.terminate();
    await (await disk.lock('lock')).release();
  });

  it('is kept when others in this process try and fail to get it', async () => {
    const disk = systemDisk(root);
    const lock = await disk.lock('lock');
    await expect(disk.lock('lock')).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    const child = spawn(process.execPath, [holder, root], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [code] = await once(child, 'exit');
    expect(code).not.toBe(0);
    await lock.release();
  });

  it('cannot be taken where there is no directory, or in what is no lock', async () => {
    const disk = systemDisk(root);
    await expect(disk.lock('none/lock')).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      outcome: 'not-executed',
    });
    fs.writeFileSync(join(root, 'text'), 'not a lock at all, but some text of somebody else');
    await expect(disk.lock('text')).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(fs.readFileSync(join(root, 'text'), 'utf8')).toContain('somebody else');
  });

  it('leaves nothing beside its file', async () => {
    const disk = systemDisk(root);
    const lock = await disk.lock('lock');
    expect(await disk.list('')).toEqual(['lock']);
    await lock.release();
    expect(await disk.list('')).toEqual(['lock']);
  });
});
