/**
 * Mistakes with a data directory: who may use it, which code reads it, and what lies in it.
 * Whatever is refused is left as it was.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, turn } from '../../src/index.ts';
import { folderOf, type TestFolder } from '../helpers/folder-of.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';
import { account, accountAgent, shutGate } from './accounts.ts';

const agents = [accountAgent(shutGate())] as const;
const holderPath = new URL('./data-holder.ts', import.meta.url).pathname;

/** Puts 10 into the account of alice, and stops. */
async function fill(folder: TestFolder): Promise<void> {
  await using troupe = createTroupe({ agents, data: folder.path });
  await troupe.start();
  await troupe.agents.get(account, 'alice').execute('move', { amount: 10 });
}

async function balanceIn(folder: TestFolder): Promise<number> {
  await using troupe = createTroupe({ agents, data: folder.path });
  await troupe.start();
  return troupe.agents.get(account, 'alice').execute('balance');
}

function startOn(folder: TestFolder) {
  return mistakeIn(() => createTroupe({ agents, data: folder.path }).start());
}

/** Starts a process that holds the directory, and says how the start went. */
async function holderOf(folder: TestFolder) {
  const child = fork(holderPath, [folder.path], { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  const [answer] = await once(child, 'message');
  return { child, answer: answer as { code: string; outcome: string; detail: string } | 'started' };
}

describe('a second process on the data directory', () => {
  it('is refused, and the first goes on', async () => {
    using folder = folderOf({});
    await using troupe = createTroupe({ agents, data: folder.path });
    await troupe.start();
    const alice = troupe.agents.get(account, 'alice');
    await alice.execute('move', { amount: 10 });
    const { child, answer } = await holderOf(folder);
    expect(answer).toMatchObject({ code: 'DATA_LOCKED', outcome: 'not-executed' });
    if (answer === 'started') return;
    expect(answer.detail).toContain(folder.path);
    expect(answer.detail).toContain('stop it, or use another directory');
    await once(child, 'exit');
    expect(await alice.execute('move', { amount: 1 })).toBe(11);
  });

  it('may go on when the first was killed', async () => {
    using folder = folderOf({});
    await fill(folder);
    const { child, answer } = await holderOf(folder);
    expect(answer).toBe('started');
    expect(await startOn(folder)).toMatchObject({ code: 'DATA_LOCKED', outcome: 'not-executed' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await balanceIn(folder)).toBe(11);
  });
});

describe('data of a newer format', () => {
  it.each([
    ['meta', 'meta', [0, 4096]],
    ['a segment', 'log/00000000000000.log', [0]],
  ])('in %s is refused with both versions', async (_name, file, slots) => {
    using folder = folderOf({});
    await fill(folder);
    const path = join(folder.path, file);
    const old = readFileSync(path);
    const salt = file === 'meta' ? 0 : readFileSync(join(folder.path, 'meta')).readUInt32LE(8);
    writeFileSync(path, newer(old, slots, salt));
    const error = await startOn(folder);
    expect(error).toMatchObject({ code: 'ENGINE_UNSUPPORTED', outcome: 'not-executed' });
    expect(error.detail).toBe(
      `${file} has data format 9, this code reads up to 1; it was left untouched; start the version of Troupe that wrote it`,
    );
    writeFileSync(path, old);
    expect(await balanceIn(folder)).toBe(10);
  });
});

/** Headers with version 9: it lies behind the magic number, the salted checksum at the end. */
function newer(bytes: Buffer, slots: readonly number[], salt: number): Buffer {
  const changed = Buffer.from(bytes);
  for (const slot of slots) {
    changed.writeUInt16LE(9, slot + 4);
    changed.writeUInt32LE(crc32(changed.subarray(slot, slot + 60), salt), slot + 60);
  }
  return changed;
}

describe('meta that cannot be read', () => {
  it('in one of its copies is mended from the other', async () => {
    using folder = folderOf({});
    await fill(folder);
    damage(join(folder.path, 'meta'), 20);
    expect(await balanceIn(folder)).toBe(10);
  });

  it('in both is refused, with the place and the way back', async () => {
    using folder = folderOf({});
    await fill(folder);
    const path = join(folder.path, 'meta');
    const old = readFileSync(path);
    damage(path, 20);
    damage(path, 4096 + 20);
    const error = await startOn(folder);
    expect(error).toMatchObject({ code: 'LOG_CORRUPT', outcome: 'not-executed' });
    expect(error.detail).toContain('meta');
    expect(error.detail).toContain('both copies are damaged');
    expect(error.detail).toMatch(/backup/);
    writeFileSync(path, old);
    expect(await balanceIn(folder)).toBe(10);
  });
});

function damage(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
  writeFileSync(path, bytes);
}

describe('a state that does not fit its schema after an upgrade', () => {
  const first = defineAgent('cart', {
    state: z.object({ items: z.array(z.string()).default([]) }),
    actions: { add: turn({ input: z.string() }), items: read({ output: z.array(z.string()) }) },
  });
  const firstAgent = implement(first, {
    add(ctx, item) {
      ctx.state.items.push(item);
    },
    items: ctx => [...ctx.state.items],
  });
  const item = z.object({ name: z.string(), count: z.number() });
  const second = defineAgent('cart', {
    state: z.object({ items: z.array(item).default([]) }),
    actions: { add: turn({ input: item }), items: read({ output: z.array(item) }) },
  });
  const handlers: Parameters<typeof implement<typeof second>>[1] = {
    add(ctx, added) {
      ctx.state.items.push(added);
    },
    items: ctx => [...ctx.state.items],
  };

  it('is refused and not overwritten, and the old code reads it again', async () => {
    using folder = folderOf({});
    const before = createTroupe({ agents: [firstAgent], data: folder.path });
    await before.start();
    await before.agents.get(first, 'a').execute('add', 'pen');
    await before.stop();

    const upgraded = createTroupe({ agents: [implement(second, handlers)], data: folder.path });
    await upgraded.start();
    const cart = upgraded.agents.get(second, 'a');
    const acts = [
      () => cart.execute('items'),
      () => cart.execute('add', { name: 'ink', count: 1 }),
    ];
    for (const act of acts) {
      const error = await mistakeIn(act);
      expect(error).toMatchObject({ code: 'STATE_MISMATCH', outcome: 'not-executed' });
      expect(error.detail).toMatch(/^cart\/a.*items\[0\]/);
      expect(error.detail).toMatch(/migrate/);
      expect(error.detail).toMatch(/stateVersion/);
    }
    await upgraded.stop();

    await using again = createTroupe({ agents: [firstAgent], data: folder.path });
    await again.start();
    expect(await again.agents.get(first, 'a').execute('items')).toEqual(['pen']);
    await again.agents.get(first, 'a').execute('add', 'ink');
    expect(await again.agents.get(first, 'a').execute('items')).toEqual(['pen', 'ink']);
  });

  it.each([
    ['throws', () => JSON.parse('{'), /migrate.*JSON/],
    ['makes what does not fit', () => ({ items: 'none' }), /items: expected array/],
  ])('whose migrate %s is refused, too', async (_name, migrate, text) => {
    using folder = folderOf({});
    const before = createTroupe({ agents: [firstAgent], data: folder.path });
    await before.start();
    await before.agents.get(first, 'a').execute('add', 'pen');
    await before.stop();
    const raised = defineAgent('cart', {
      state: z.object({ items: z.array(item).default([]) }),
      stateVersion: 2,
      actions: { add: turn({ input: item }), items: read({ output: z.array(item) }) },
    });
    const raisedAgent = implement(raised, handlers, { migrate: migrate as () => never });
    const upgraded = createTroupe({ agents: [raisedAgent], data: folder.path });
    await upgraded.start();
    const error = await mistakeIn(() => upgraded.agents.get(raised, 'a').execute('items'));
    expect(error).toMatchObject({ code: 'STATE_MISMATCH', outcome: 'not-executed' });
    expect(error.detail).toMatch(/^cart\/a/);
    expect(error.detail).toMatch(text);
    await upgraded.stop();
    await using again = createTroupe({ agents: [firstAgent], data: folder.path });
    await again.start();
    expect(await again.agents.get(first, 'a').execute('items')).toEqual(['pen']);
  });

  it('that is newer than the code is refused, and the newer code reads it', async () => {
    using folder = folderOf({});
    const third = defineAgent('cart', {
      state: z.object({ items: z.array(item).default([]) }),
      stateVersion: 2,
      actions: { add: turn({ input: item }), items: read({ output: z.array(item) }) },
    });
    const old = createTroupe({ agents: [firstAgent], data: folder.path });
    await old.start();
    await old.agents.get(first, 'a').execute('add', 'pen');
    await old.stop();
    const thirdAgent = implement(third, handlers, {
      migrate: state => ({
        items: (state as { items: string[] }).items.map(name => ({ name, count: 1 })),
      }),
    });
    const newest = createTroupe({ agents: [thirdAgent], data: folder.path });
    await newest.start();
    await newest.agents.get(third, 'a').execute('add', { name: 'ink', count: 2 });
    await newest.stop();

    const downgraded = createTroupe({ agents: [firstAgent], data: folder.path });
    await downgraded.start();
    const error = await mistakeIn(() => downgraded.agents.get(first, 'a').execute('items'));
    expect(error).toMatchObject({ code: 'STATE_MISMATCH', outcome: 'not-executed' });
    expect(error.detail).toMatch(/cart\/a.*2.*1/);
    await downgraded.stop();

    await using again = createTroupe({ agents: [thirdAgent], data: folder.path });
    await again.start();
    expect(await again.agents.get(third, 'a').execute('items')).toEqual([
      { name: 'pen', count: 1 },
      { name: 'ink', count: 2 },
    ]);
  });
});

describe('a port that is in use', () => {
  it('stops the start, and leaves the data to the next', async () => {
    using folder = folderOf({});
    await fill(folder);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const troupe = createTroupe({ agents, data: folder.path, admin: { port } });
    const error = await mistakeIn(() => troupe.start());
    expect(error).toMatchObject({ code: 'PORT_IN_USE', outcome: 'not-executed' });
    expect(error.detail).toContain(`127.0.0.1:${port}`);
    expect(error.detail).toContain('choose another port');
    server.close();
    expect(await balanceIn(folder)).toBe(10);
  });
});
