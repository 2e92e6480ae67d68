/** One node on real NATS servers: the same agents, who may be the node, and what is refused. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import type { TroupeOptions } from '../../src/index.ts';
import type { TroupeHandle } from '../../src/node/troupe.ts';
import { clusterNode, shortLeaseMs } from '../helpers/cluster-node.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { type RunningProgram, runProgram } from '../helpers/run-program.ts';

const agents = [accountAgent, ledgerAgent];
const teller = fileURLToPath(new URL('./teller.ts', import.meta.url));

let servers: NatsServers;
let root: string;
let clusters = 0;
const programs: RunningProgram[] = [];

beforeAll(async () => {
  servers = await natsServers({ hasAccount: true });
  root = await mkdtemp(join(tmpdir(), 'troupe-cluster-'));
}, 60_000);

afterAll(async () => {
  await Promise.all(programs.map(program => program.kill()));
  await servers.close();
  await rm(root, { recursive: true, force: true });
});

type NodeOptions = Pick<TroupeOptions<[]>, 'data' | 'name'>;

/** A cluster of its own for each test. */
function newCluster() {
  clusters += 1;
  const name = `c${clusters}`;
  const cluster = { servers: servers.urls, name };
  const start = async (options: NodeOptions) => {
    const troupe = clusterNode({ agents, cluster, ...options });
    const startedMs = performance.now();
    await troupe.start();
    const alice = troupe.agents.get('account/alice');
    const { node } = troupe as unknown as TroupeHandle;
    return { troupe, alice, node, tookMs: performance.now() - startedMs };
  };
  /** A node in a process of its own, at work. */
  const spawn = async (options: NodeOptions): Promise<RunningProgram> => {
    const parameters = JSON.stringify({ cluster, ...options });
    const program = runProgram([process.execPath, teller, parameters], {});
    programs.push(program);
    await program.said(/^moved 2$/m);
    return program;
  };
  return { data: join(root, name), start, spawn };
}

/** The last balance that a program was told. */
function lastBalance(program: RunningProgram): number {
  return Number([...program.output().matchAll(/^moved (\d+)$/gm)].at(-1)?.[1]);
}

describe('one node on NATS', () => {
  it('runs the account as it runs anywhere', async () => {
    const { data, start } = newCluster();
    const { troupe, alice } = await start({ data });
    expect(await alice.execute('move', { amount: 10 }, { idempotencyKey: 'in' })).toBe(10);
    expect(await alice.execute('move', { amount: 10 }, { idempotencyKey: 'in' })).toBe(10);
    const run = alice.stream('payOut', { amount: 10 }, { idempotencyKey: 'out' });
    const chunks: unknown[] = [];
    for await (const chunk of run) {
      chunks.push(chunk);
      if (chunks.length === 1) await alice.signal('approve', { by: 'me' });
    }
    expect(await run.result).toBeDefined();
    expect(await alice.execute('balance')).toBe(0);
    await troupe.stop();
  });

  it('goes on at once when it was stopped and is started again', async () => {
    const { data, start } = newCluster();
    const first = await start({ data });
    await first.alice.execute('move', { amount: 5 });
    await first.troupe.stop();
    const second = await start({ data });
    expect(second.tookMs).toBeLessThan(shortLeaseMs);
    expect(await second.alice.execute('balance')).toBe(5);
    const { kernel } = second.node;
    expect(kernel.log.capabilities).toMatchObject({ isFlushed: true, hasLinearizableReads: false });
    const { records } = await kernel.log.read('account/alice', { after: 0 });
    expect(records.length).toBeGreaterThanOrEqual(3);
    await second.troupe.stop();
  });

  it('goes on at once on its directory after it was killed', async () => {
    const { data, start, spawn } = newCluster();
    const killed = await spawn({ data });
    await killed.kill();
    const balance = lastBalance(killed);
    const { troupe, alice, tookMs } = await start({ data });
    expect(tookMs).toBeLessThan(shortLeaseMs * 0.75);
    // One more may have been moved, of which nobody was told.
    expect(await alice.execute('balance')).toBeOneOf([balance, balance + 1]);
    await troupe.stop();
  });

  it('goes on under its id on a copy of its directory once its lease stood still', async () => {
    const { data, start, spawn } = newCluster();
    const killed = await spawn({ data, name: 'a' });
    await killed.kill();
    await cp(data, `${data}-copy`, { recursive: true });
    const { troupe, alice, tookMs } = await start({ data: `${data}-copy`, name: 'a' });
    expect(tookMs).toBeGreaterThanOrEqual(shortLeaseMs);
    expect(await alice.execute('balance')).toBeGreaterThanOrEqual(lastBalance(killed));
    await troupe.stop();
  });

  it('refuses a second process, whoever it says it is', async () => {
    const { data, start, spawn } = newCluster();
    const first = await spawn({ data, name: 'a' });
    await expect(start({ data, name: 'a' })).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    await expect(start({ name: 'a' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/nodes\/a is held by another process .* renews it/),
    });
    await expect(start({ data: `${data}-b`, name: 'b' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/is served by the node a, which renews its lease/),
    });
    // It has not noticed.
    const before = lastBalance(first);
    await first.until(() => lastBalance(first) > before);
    await first.kill();
  });

  it('stops when it was silent for so long that another has taken its place', async () => {
    const { data, start, spawn } = newCluster();
    const old = await spawn({ data, name: 'a' });
    const pid = Number(/^ready (\d+)$/m.exec(old.output())?.[1]);
    process.kill(pid, 'SIGSTOP');
    const { troupe, alice } = await start({ data: `${data}-b`, name: 'b' });
    const balance = await alice.execute('move', { amount: 1_000 });
    const said = old.output().length;
    process.kill(pid, 'SIGCONT');
    await old.said(/^over$/m);
    const late = old.output().slice(said).split('\n');
    // What was on its way may be answered by its record; no read is answered, nothing is written.
    expect(late.filter(line => /^read \d+$/.test(line))).toEqual([]);
    expect(late.filter(line => /^moved \d+$/.test(line)).length).toBeLessThanOrEqual(1);
    expect(await alice.execute('balance')).toBe(balance);
    await troupe.stop();
    await old.ended;
  });
});
