/** The baseline of durable turns on NATS appends as many bytes as a turn does. */
import { expect, it } from 'vitest';
import { account, accountAgent } from '../../../bench/agents.ts';
import { turnMessageBytes } from '../../../bench/baseline-jetstream.ts';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { encodeFrame } from '../../../src/engines/nats/record-frame.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

it('makes messages of the size of those that turns make', async () => {
  const log = memoryLog();
  const troupe = troupeOn({ agents: [accountAgent], log });
  await troupe.start();
  const alice = troupe.agents.get(account, 'alice-12345678');
  for (let turn = 0; turn < 1_000; turn += 1) await alice.execute('move', { amount: 1 });
  const name = 'account/alice-12345678';
  const { records } = await log.read(name, { after: 0, recordsMax: 1_000 });
  const last = records.at(-1);
  await troupe.stop();
  const head = { name, writer: '0123456789abcdef', number: 7, previous: 6, snapshotBefore: 0 };
  const message = encodeFrame({ ...head, wakeAt: Infinity }, last === undefined ? [] : [last]);
  expect(last?.isSnapshot).toBe(false);
  expect(message.length).toBeGreaterThan(turnMessageBytes * 0.9);
  expect(message.length).toBeLessThan(turnMessageBytes * 1.1);
});
