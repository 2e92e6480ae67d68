/**
 * A short form of `npm run nats-cut`: the network between a node and its servers, and between one
 * server and the others, is cut under a checked workload. Where that cannot be done it says why.
 */
import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runCutSeries } from './nats-cut.ts';
import { openNetwork, whyNoNetwork } from './nats-cut-network.ts';

const obstacle = whyNoNetwork();
if (obstacle !== undefined) console.warn(`nats-cut is not tested here: ${obstacle}`);
const workload = { seed: 1, counters: 4, jobs: 2, pauseMs: 30 };
const kept = { lost: 0, doubled: 0, stepsRepeated: 0, complaints: [] };

describe.skipIf(obstacle !== undefined)('a network that is cut', () => {
  it('loses packets in silence, and is gone when it is closed', { timeout: 60_000 }, async () => {
    const network = openNetwork(['a', 'b']);
    const [file = '', ...before] = network.enter('a');
    const listening = spawn(file, [...before, process.execPath, '-e', echo], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise(resolve => listening.stdout.once('data', resolve));
      const address = network.addressOf('a');
      expect(reach(network.enter('b'), address)).toBe('echo');
      network.cut([['a', 'b']]);
      expect(reach(network.enter('b'), address)).toBe('silence');
      network.heal();
      expect(reach(network.enter('b'), address)).toBe('echo');
    } finally {
      network.close();
    }
    const left = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
    expect(left).not.toContain(`tpcut-${process.pid}-`);
    // What ran there has been ended.
    if (listening.exitCode === null && listening.signalCode === null) {
      await new Promise(resolve => listening.once('exit', resolve));
    }
  });

  it('loses nothing when a node is cut off', { timeout: 180_000 }, async () => {
    const { faults, verdict } = await runCutSeries('node', {
      ...{ ...workload, rounds: 1, cutMs: 4_000 },
    });
    expect(verdict).toMatchObject(kept);
    // Nothing can have been acknowledged before the network was whole again.
    expect(faults[0]?.firstMs).toBeGreaterThan(3_900);
  });

  it('goes on at another server when its own is alone', { timeout: 180_000 }, async () => {
    const cutMs = 14_000;
    const { faults, verdict } = await runCutSeries('one', { ...workload, rounds: 1, cutMs });
    expect(verdict).toMatchObject(kept);
    expect(faults[0]?.kind).toMatch(/the node’s own server/);
    // Through its own it could store nothing before the network was whole again.
    expect(faults[0]?.firstMs).toBeLessThan(cutMs - 1_000);
  });
});

const echo = `
  require('node:net').createServer(socket => socket.pipe(socket)).listen(7000, '0.0.0.0', () =>
    console.log('listening'))`;

/** Says what comes back: what was sent, a refusal, or nothing. */
function reach([file = '', ...before]: readonly string[], address: string): string {
  const script = `
    const socket = require('node:net').connect(7000, '${address}', () => socket.write('echo'));
    const end = text => { console.log(text); process.exit(0); };
    socket.on('data', bytes => end(String(bytes)));
    socket.on('error', error => end(error.code));
    setTimeout(() => end('silence'), 1_500);`;
  const run = spawnSync(file, [...before, process.execPath, '-e', script], { encoding: 'utf8' });
  return run.stdout.trim();
}
