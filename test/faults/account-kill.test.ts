/**
 * The pay-out of the example as a program: killed inside each of its steps, before and after it had
 * its effect, and in the gaps between them; attended to from outside through the command line. The
 * same on this machine's disk and on three NATS servers.
 */
import { describe, expect, it } from 'vitest';
import { folderOf } from '../helpers/folder-of.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { endlessMs, killedMs, payOutOf } from './account-kills.ts';

interface Engine {
  readonly name: string;
  readonly open: () => Promise<NatsServers | undefined>;
}

const engines: readonly Engine[] = [
  { name: 'the disk', open: async () => undefined },
  { name: 'three NATS servers', open: () => natsServers({ count: 3, hasAccount: true }) },
];

describe.each(engines)('a pay-out on $name', ({ open }) => {
  it('is killed at every stage, and pays once', { timeout: 240_000 }, async () => {
    await using servers = await open();
    using folder = folderOf({});
    const options = { directory: folder.path, order: 'first', cluster: servers?.urls };
    const { start, killWhen, lifeUntil, services, troupe, asking } = payOutOf(options);

    // A check that was cut off is made again, under its key.
    await lifeUntil('check', 'asked');
    await lifeUntil('check', 'did');

    // Whether money has gone out that was cut off, a person has to say: first that it has not.
    await killWhen(start(killedMs), 'transfer', 'asked');
    let running = start();
    await running.said(/a person has to say/);
    // The question is not forgotten.
    await running.kill();
    running = start(killedMs);
    await running.said(/a person has to say/);
    troupe('runs', 'resolve', asking(), 'transfer', '--retry');
    await killWhen(running, 'transfer', 'did');

    // And now that it has.
    running = start();
    await running.said(/a person has to say/);
    troupe('runs', 'resolve', asking(), 'transfer', '--value', '"receipt 1 for 30"');
    await running.said(/^transferred$/m);
    await running.kill();

    running = start(endlessMs);
    await running.said(/^transferred$/m);
    troupe('agents', 'signal', 'account/alice', 'approve', '{"by":"eve"}');
    // The bank knows that it sent no letter, and then that it did.
    await killWhen(running, 'confirm', 'asked');
    await lifeUntil('confirm', 'did');

    running = start();
    expect(await running.ended).toMatchObject({ status: 0 });
    expect(running.output()).toMatch(/^receipt 1 for 30, approved by eve\nbalance: 0\n$/m);

    expect(services('did')).toEqual(['check', 'transfer', 'confirm']);
    expect(services('asked')).toEqual([
      ...['check', 'check', 'check'],
      ...['transfer', 'transfer'],
      ...['confirm', 'confirm'],
    ]);
  });

  it('ends when a person says that a step failed', { timeout: 120_000 }, async () => {
    await using servers = await open();
    using folder = folderOf({});
    const options = { directory: folder.path, order: 'second', cluster: servers?.urls };
    const { start, killWhen, services, troupe, asking } = payOutOf(options);

    await killWhen(start(killedMs), 'transfer', 'asked');
    const running = start();
    await running.said(/a person has to say/);
    troupe('runs', 'resolve', asking(), 'transfer', '--fail');

    expect(await running.ended).toMatchObject({ status: 1 });
    expect(running.output()).toMatch(/HANDLER_FAILED|STEP_UNKNOWN/);
    expect(services('did')).toEqual(['check']);
  });
});
