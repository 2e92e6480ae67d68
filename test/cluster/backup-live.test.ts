/** A node makes backups of its cluster while it works: each is one moment. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { createTroupe } from '../../src/gateway/create-troupe.ts';
import { composeTroupe } from '../../src/node/create-troupe.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { command } from '../helpers/pretended-terminal.ts';

const agents = [accountAgent, ledgerAgent] as const;
const accountCount = 12;
const accounts = Array.from({ length: accountCount }, (_, key) => `account/${key}` as const);

let servers: NatsServers;
let root: string;

beforeAll(async () => {
  servers = await natsServers({ hasAccount: true });
  root = await mkdtemp(join(tmpdir(), 'troupe-live-'));
}, 60_000);

afterAll(async () => {
  await servers.close();
  await rm(root, { recursive: true, force: true });
});

type Node = ReturnType<typeof restoredNode>;

function restoredNode(data: string) {
  return composeTroupe({ agents, data, logger: silentLogger });
}

/** What all accounts have, and what the ledger was told. */
async function sums(node: Node): Promise<{ owned: number; booked: number }> {
  const balances = await Promise.all(
    accounts.map(address => node.agents.get(address).execute('balance')),
  );
  const owned = balances.reduce((sum, balance) => sum + balance, 0);
  return { owned, booked: await node.agents.get('ledger/main').execute('total') };
}

it('copies one moment while accounts are moved, and the node goes on', async () => {
  const data = join(root, 'node');
  const node = createTroupe({
    ...{ agents, data, admin: true, logger: silentLogger },
    cluster: { servers: servers.urls, name: 'live' },
  });
  await node.start();
  let isOver = false;
  let moved = 0;
  const moving = accounts.map(async address => {
    while (!isOver) {
      await node.agents.get(address).execute('move', { amount: 1 });
      moved += 1;
    }
  });
  const movedAt: number[] = [];
  const backups = ['one', 'two'].map(name => join(root, name));
  for (const backup of backups) {
    const before = moved;
    await expect.poll(() => moved).toBeGreaterThan(before + 50);
    movedAt.push(moved);
    const made = await command(['backup', backup, '--data', data]);
    expect(made).toMatchObject({ exitCode: 0, errors: '' });
    expect(made.output).toMatch(
      /agents +13\n(.*\n)*digest +[0-9a-f]{64}\n(.*\n)*work waited +\d+ ms\n/,
    );
    movedAt.push(moved);
  }
  isOver = true;
  await Promise.all(moving);
  await expect.poll(() => sums(node)).toEqual({ owned: moved, booked: moved });
  await node.stop();

  for (const [index, backup] of backups.entries()) {
    const restored = `${backup}-data`;
    expect(await command(['restore', backup, '--data', restored])).toMatchObject({ exitCode: 0 });
    const again = restoredNode(restored);
    await again.start();
    const { owned } = await sums(again);
    // All that was acknowledged before it began is there, and nothing that came behind its end.
    expect(owned).toBeGreaterThanOrEqual(movedAt[index * 2] ?? 0);
    expect(owned).toBeLessThanOrEqual((movedAt[index * 2 + 1] ?? 0) + accountCount);
    // What an account had sent is booked once; nothing is booked that none had sent.
    await expect.poll(() => sums(again)).toEqual({ owned, booked: owned });
    await again.stop();
  }
}, 90_000);
