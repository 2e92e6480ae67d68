/**
 * Witnesses: for each weakness that NATS servers were measured to have, a seed in which the model
 * shows it in a single request. A model that lost a weakness would prove nothing about adapters.
 */
import { describe, expect, it } from 'vitest';
import { simNatsPayloadBytesMax } from '../../src/testing/sim-nats-cluster.ts';
import type { NatsRequestFault } from '../../src/testing/sim-nats-switches.ts';
import { type NatsCaller, natsCaller } from '../helpers/nats-caller.ts';
import { inNatsModel, type NatsModel, type NatsModelOptions } from '../helpers/nats-model.ts';

type World = NatsModel & { readonly caller: NatsCaller };

const code = (err_code: number) => ({ error: expect.objectContaining({ err_code }) });
const expectOne = { expected: 0 };

/** A stream on servers of a seed, with a client. */
function inWorld<Result>(
  options: NatsModelOptions,
  task: (world: World) => Promise<Result>,
): Promise<Result> {
  return inNatsModel(options, async model => {
    const caller = natsCaller(await model.connect());
    const num_replicas = options.servers ?? 1;
    const body = { name: 'S', subjects: ['s.>'], num_replicas, allow_direct: true };
    expect(await caller.api('STREAM.CREATE.S', body)).toMatchObject({ did_create: true });
    return task({ ...model, caller });
  });
}

/** The same, in which the next request that can fail so does it. */
function withFault<Result>(
  seed: number,
  kind: NatsRequestFault,
  task: (world: World) => Promise<Result>,
): Promise<Result> {
  return inWorld({ seed }, world => {
    world.cluster.switches.next(kind);
    return task(world);
  });
}

describe('a write without an answer', () => {
  it('was stored: only the acknowledgement was lost', async () => {
    await withFault(1, 'lost-ack', async ({ caller }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'unknown' });
      expect(await caller.last('S', 's.a')).toBe('one');
      // Its repetition meets itself.
      expect(await caller.put('s.a', 'one', expectOne)).toMatchObject(code(10071));
    });
  });

  it('is stored seconds later, behind the back of whoever looked', async () => {
    await withFault(2, 'late-write', async ({ caller, sleep }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'unknown' });
      expect(await caller.last('S', 's.a')).toBeUndefined();
      await sleep(15_000);
      expect(await caller.last('S', 's.a')).toBe('one');
    });
  });

  it('is refused late when somebody else was faster', async () => {
    await withFault(3, 'late-write', async ({ caller, sleep }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'unknown' });
      expect(await caller.put('s.a', 'two', expectOne)).toMatchObject({ seq: 1 });
      await sleep(15_000);
      expect(await caller.last('S', 's.a')).toBe('two');
    });
  });

  it('was never stored', async () => {
    await withFault(4, 'lost-write', async ({ caller, sleep }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'unknown' });
      await sleep(60_000);
      expect(await caller.last('S', 's.a')).toBeUndefined();
    });
  });
});

describe('a refused write', () => {
  it('finds nobody to take it, and is surely not stored', async () => {
    await withFault(5, 'no-responder', async ({ caller, sleep }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'nobody' });
      await sleep(60_000);
      expect(await caller.last('S', 's.a')).toBeUndefined();
    });
  });

  it('yields to a rival in flight that comes to nothing', async () => {
    await withFault(6, 'rival-in-flight', async ({ caller }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toMatchObject(code(10164));
      expect(await caller.put('s.a', 'one', expectOne)).toMatchObject({ seq: 1 });
    });
  });

  it('meets a rival that is really in flight, with and without a number', async () => {
    const rivals = ({ caller }: World) =>
      Promise.all([caller.put('s.a', 'one', expectOne), caller.put('s.a', 'two', expectOne)]);
    const newest = await inWorld({ seed: 7, servers: 3 }, rivals);
    expect(newest).toEqual([
      expect.objectContaining({ seq: 1 }),
      expect.objectContaining(code(10164)),
    ]);
    const older = await inWorld({ seed: 7, servers: 3, version: '2.10.27' }, rivals);
    expect(older[1]).toMatchObject(code(10071));
  });

  it('is too large with its headers, or has a subject that would cost the connection', async () => {
    await inWorld({ seed: 8 }, async ({ caller }) => {
      const text = 'x'.repeat(simNatsPayloadBytesMax - 10);
      expect(await caller.put('s.a', text)).toMatchObject({ status: 'answered' });
      expect(await caller.put('s.a', text, expectOne)).toEqual({ status: 'unavailable' });
      expect(await caller.put(`s.${'a'.repeat(5_000)}`, 'x')).toEqual({ status: 'unavailable' });
      expect(await caller.put('s.a b', 'x')).toEqual({ status: 'unavailable' });
    });
  });
});

describe('a message id', () => {
  it('is said to be there, and it is not', async () => {
    await inWorld({ seed: 9 }, async ({ caller, cluster }) => {
      await caller.put('s.b', 'before');
      cluster.switches.next('false-duplicate');
      const answer = await caller.put('s.a', 'one', { id: 'a-1', ...expectOne });
      expect(answer).toMatchObject({ duplicate: true });
      expect(await caller.last('S', 's.a')).toBeUndefined();
    });
  });

  it('need not even be there for that', async () => {
    await withFault(9, 'false-duplicate', async ({ caller, cluster }) => {
      expect(await caller.put('s.a', 'one')).toMatchObject({ duplicate: true });
      cluster.switches.next('duplicate-in-process');
      expect(await caller.put('s.a', 'two')).toMatchObject(code(10158));
      expect(await caller.last('S', 's.a')).toBeUndefined();
    });
  });

  it('is said to be in process', async () => {
    await inWorld({ seed: 10, servers: 3 }, async ({ caller }) => {
      const put = () => caller.put('s.a', 'one', { id: 'a-1' });
      const answers = await Promise.all([put(), put()]);
      expect(answers).toEqual([
        expect.objectContaining({ seq: 1 }),
        expect.objectContaining(code(10158)),
      ]);
    });
  });

  it('hides a message of another subject', async () => {
    await inWorld({ seed: 11 }, async ({ caller }) => {
      await caller.put('s.a', 'one', { id: 'same' });
      expect(await caller.put('s.b', 'two', { id: 'same' })).toMatchObject({ duplicate: true });
      expect(await caller.last('S', 's.b')).toBeUndefined();
    });
  });

  it.each([
    ['2.9.10', 1, 'duplicate'],
    ['2.10.27', 1, 'duplicate'],
    ['2.10.27', 3, 'conflict'],
    ['2.15.1', 1, 'conflict'],
    ['2.15.1', 3, 'duplicate'],
  ] as const)('is looked at before or after the expectation, as %s with %i', async (...row) => {
    const [version, servers, kind] = row;
    await inWorld({ seed: 12, version, servers }, async ({ caller, sleep }) => {
      const put = () => caller.put('s.a', 'one', { id: 'a-1', ...expectOne });
      await put();
      await sleep(10);
      expect(await put()).toMatchObject(kind === 'conflict' ? code(10071) : { duplicate: true });
    });
  });
});

describe('the API', () => {
  it('is unavailable for now', async () => {
    await withFault(13, 'api-unavailable', async ({ caller }) => {
      expect(await caller.api('STREAM.INFO.S')).toMatchObject(code(10008));
      expect(await caller.api('STREAM.INFO.S')).toMatchObject({ total: 0 });
    });
  });

  it('loses an answer', async () => {
    await withFault(14, 'lost-answer', async ({ caller }) => {
      expect(await caller.api('STREAM.INFO.S')).toEqual({ status: 'unknown' });
    });
  });

  it('loses one message of several', async () => {
    await withFault(20, 'lost-part', async ({ caller, sleep }) => {
      for (const text of ['1', '2', '3']) await caller.put('s.a', text);
      const { client } = caller;
      let count = 0;
      const inbox = client.inbox();
      await client.subscribe(inbox, () => count++);
      const body = JSON.stringify({ seq: 1, next_by_subj: 's.a', batch: 10 });
      const ask = () =>
        client.publish('$JS.API.DIRECT.GET.S', new TextEncoder().encode(body), { reply: inbox });
      ask();
      await sleep(100);
      expect(count).toBe(3);
      ask();
      await sleep(100);
      expect(count).toBe(7);
    });
  });

  it('does a deed and says nothing', async () => {
    await withFault(15, 'lost-ack', async ({ caller }) => {
      const body = { name: 'T', subjects: ['t.>'] };
      expect(await caller.api('STREAM.CREATE.T', body)).toEqual({ status: 'unknown' });
      expect(await caller.api('STREAM.NAMES')).toMatchObject({ streams: ['S', 'T'] });
    });
  });

  it('lets expect-nothing succeed again on a subject that was purged empty', async () => {
    await inWorld({ seed: 16 }, async ({ caller }) => {
      await caller.put('s.a', 'one', expectOne);
      await caller.api('STREAM.PURGE.S', { filter: 's.a' });
      expect(await caller.put('s.a', 'again', expectOne)).toMatchObject({ seq: 2 });
    });
  });
});

describe('an option that a server does not know', () => {
  const create = { name: 'T', subjects: ['t.>'], allow_msg_ttl: true, compression: 's2' };

  it.each(['2.9.10', '2.10.27'])('is left out by %s without a word', async version => {
    await inWorld({ seed: 17, version }, async ({ caller }) => {
      const answer = await caller.api('STREAM.CREATE.T', create);
      expect(answer).toMatchObject({ did_create: true });
      expect(answer.config).not.toHaveProperty('allow_msg_ttl');
    });
  });

  it('is kept by one that does', async () => {
    await inWorld({ seed: 17 }, async ({ caller }) => {
      const answer = await caller.api('STREAM.CREATE.T', create);
      expect(answer.config).toMatchObject({ allow_msg_ttl: true, compression: 's2' });
    });
  });

  it('makes an older server look at the wrong subject', async () => {
    const fence = { 'Nats-Expected-Last-Subject-Sequence-Subject': 's.fence' };
    const put = ({ caller }: World) =>
      caller.put('s.a', 'one', { headers: fence, ...expectOne }).then(async () => {
        return caller.put('s.a', 'two', { headers: fence, ...expectOne });
      });
    expect(await inWorld({ seed: 18 }, put)).toMatchObject({ seq: 2 });
    expect(await inWorld({ seed: 18, version: '2.10.27' }, put)).toMatchObject(code(10071));
  });

  it('gets one message where a batch was asked for', async () => {
    const messages = async (version: string) =>
      inWorld({ seed: 19, version }, async ({ caller, sleep }) => {
        for (const text of ['1', '2', '3']) await caller.put('s.a', text);
        const { client } = caller;
        let count = 0;
        const inbox = client.inbox();
        await client.subscribe(inbox, () => count++);
        const body = JSON.stringify({ seq: 1, next_by_subj: 's.a', batch: 10 });
        const bytes = new TextEncoder().encode(body);
        client.publish('$JS.API.DIRECT.GET.S', bytes, { reply: inbox });
        await sleep(100);
        return count;
      });
    expect(await messages('2.10.27')).toBe(1);
    // Three, and the mark of the end.
    expect(await messages('2.15.1')).toBe(4);
  });
});
