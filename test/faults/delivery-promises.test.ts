/**
 * Messages between agents, and from outside, through crashes: promised once means done once, and
 * whoever waits is told the truth about what became of it.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';
import { createTestTroupe } from '../../src/testing/index.ts';

const box = defineAgent('box', {
  state: z.object({ sum: z.number().default(0) }),
  limits: { snapshotEvery: 1 },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    tell: turn({ input: z.number() }),
    block: turn(),
    nap: task(),
    sum: read({ output: z.number() }),
  },
});

/** Boxes whose `add` throws, and whose `block` ends, as long as, and as soon as, a test says so. */
function boxes() {
  const switches = { isBroken: false, gate: Promise.withResolvers<void>() };
  const agent = implement(box, {
    add(ctx, amount) {
      if (switches.isBroken) throw new Error('broken, as a test asked for');
      ctx.state.sum += amount;
      return ctx.state.sum;
    },
    tell: (ctx, amount) => ctx.send(box, 'receiver', 'add', amount),
    block: () => switches.gate.promise,
    nap: ctx => ctx.sleep('5s'),
    sum: ctx => ctx.state.sum,
  });
  return { agent, switches };
}

async function begin(limits = {}) {
  const { agent, switches } = boxes();
  const troupe = await createTestTroupe({ agents: [agent], limits });
  const sender = troupe.agents.get(box, 'sender');
  return { troupe, switches, sender, receiver: troupe.agents.get(box, 'receiver') };
}

describe('a promised message', () => {
  it('that is sent again after a crash is recognised, from a snapshot alone', async () => {
    const { troupe, sender, receiver } = await begin();
    await sender.execute('tell', 5);
    await troupe.settled();
    expect(await receiver.execute('sum')).toBe(5);
    // The sender has not recorded yet that it arrived.
    troupe.crash();
    await troupe.restart();
    await troupe.advance('1m');
    expect(await receiver.execute('sum')).toBe(5);
  });

  it('is found in the snapshot of its sender', async () => {
    const { troupe, switches, sender, receiver } = await begin();
    switches.isBroken = true;
    await sender.execute('tell', 5);
    await troupe.settled();
    troupe.crash();
    switches.isBroken = false;
    await troupe.restart();
    await troupe.advance('1m');
    expect(await receiver.execute('sum')).toBe(5);
  });

  it('leaves in spite of a crash as soon as its record is accepted', async () => {
    const { troupe, sender, receiver } = await begin();
    troupe.faults.crashAt('outbox.dispatch');
    await sender.tryExecute('tell', 5);
    await troupe.restart();
    await troupe.advance('1m');
    expect(await receiver.execute('sum')).toBe(5);
  });

  it('that its receiver has recorded as waiting survives the crash of both', async () => {
    const { troupe, switches, sender, receiver } = await begin();
    const blocking = receiver.send('block').catch(() => undefined);
    await sender.execute('tell', 5);
    // Long enough for the receiver to record it, and for the sender to strike it off.
    await troupe.advance('2s');
    troupe.crash();
    switches.gate.resolve();
    await troupe.restart();
    await troupe.advance('1m');
    expect(await receiver.execute('sum')).toBe(5);
    expect(await receiver.execute('add', 1)).toBe(6);
    await blocking;
  });
});

describe('a message from outside', () => {
  it('with a key is done once for as long as results are kept', async () => {
    const { troupe, receiver } = await begin();
    expect(await receiver.execute('add', 5, { idempotencyKey: 'once' })).toBe(5);
    await troupe.advance('6d');
    troupe.crash();
    await troupe.restart();
    expect(await receiver.execute('add', 5, { idempotencyKey: 'once' })).toBe(5);
    expect(await receiver.execute('sum')).toBe(5);
  });

  it('with a key is refused when the key was used with another input', async () => {
    const { receiver } = await begin();
    await receiver.execute('add', 5, { idempotencyKey: 'once' });
    const other = receiver.execute('add', 6, { idempotencyKey: 'once' });
    await expect(other).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await receiver.execute('sum')).toBe(5);
  });

  it('that runs at its deadline ends as unknown, one that waits as not executed', async () => {
    const { troupe, switches, receiver } = await begin();
    const going = receiver.tryExecute('block', undefined, { timeout: '1s' });
    const waiting = receiver.tryExecute('add', 5, { timeout: '1s' });
    const code = 'DEADLINE_EXCEEDED';
    const unknown = { error: { code, outcome: 'unknown' } };
    expect(await troupe.advanceUntil(going)).toMatchObject(unknown);
    expect(await troupe.advanceUntil(waiting)).toMatchObject({
      error: { code, outcome: 'not-executed' },
    });
    switches.gate.resolve();
    await troupe.advance('1m');
    expect(await receiver.execute('sum')).toBe(0);
  });

  it('is not held back for ever by one before it that was given up', async () => {
    const { troupe, switches, receiver } = await begin();
    const blocking = receiver.send('block');
    const given = receiver.tryExecute('add', 5, { timeout: '1s' });
    const kept = receiver.execute('add', 1, { timeout: '10s' });
    await troupe.advanceUntil(given);
    switches.gate.resolve();
    expect(await troupe.advanceUntil(kept)).toBe(1);
    await blocking;
  });

  it('goes at once although one before it was given up', async () => {
    const { troupe, switches, receiver } = await begin();
    const blocking = receiver.send('block');
    await troupe.advanceUntil(receiver.tryExecute('add', 5, { timeout: '1s' }));
    const kept = receiver.execute('add', 1);
    const before = troupe.now();
    switches.gate.resolve();
    expect(await troupe.advanceUntil(kept)).toBe(1);
    expect(troupe.now()).toBe(before);
    await blocking;
  });

  it('goes at once although one before it was given up, and one before that goes on', async () => {
    const { troupe, switches, receiver } = await begin();
    const nap = receiver.execute('nap');
    await troupe.settled();
    const blocking = receiver.call('block', undefined, { timeout: '1m' });
    await troupe.advanceUntil(receiver.tryExecute('add', 5, { timeout: '1s' }));
    const kept = receiver.execute('add', 1);
    const before = troupe.now();
    switches.gate.resolve();
    expect(await troupe.advanceUntil(kept)).toBe(1);
    expect(troupe.now()).toBe(before);
    await troupe.advanceUntil(Promise.all([blocking, nap]));
  });

  it('does not wait for one before it that changed nothing', async () => {
    const { troupe, switches, receiver } = await begin();
    switches.gate.resolve();
    const before = troupe.now();
    const answers = Promise.all([receiver.execute('block'), receiver.execute('add', 1)]);
    expect(await troupe.advanceUntil(answers)).toEqual([undefined, 1]);
    expect(troupe.now()).toBe(before);
  });

  it('does not wait for one before it that changed nothing, and whose answer waits', async () => {
    const { troupe, switches, receiver } = await begin();
    switches.gate.resolve();
    const before = troupe.now();
    const calls = [
      receiver.execute('add', 1),
      receiver.execute('block'),
      receiver.execute('add', 2),
    ];
    expect(await troupe.advanceUntil(Promise.all(calls))).toEqual([1, undefined, 3]);
    expect(troupe.now()).toBe(before);
  });

  it('is answered although another agent wants its place in memory', async () => {
    const { troupe, receiver } = await begin({ residentMax: 1 });
    const answer = receiver.execute('add', 5);
    // By then it is being loaded.
    for (let count = 0; count < 50; count += 1) await undefined;
    const other = troupe.agents.get(box, 'other').tryExecute('add', 1);
    expect(await troupe.advanceUntil(answer)).toBe(5);
    await troupe.advanceUntil(other);
  });
});
