/** The wake log on modelled NATS servers: which marks are moved, and which have to stay. */
import { describe, expect, it } from 'vitest';
import type { NatsClient } from '../../../src/engines/nats/client.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { markSubject, placeOf } from '../../../src/engines/nats/log-subjects.ts';
import { decodeWakeEntry } from '../../../src/engines/nats/wake-entry.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Log, Seq } from '../../../src/ports/log.ts';
import { inNatsModel, type NatsModel } from '../../helpers/nats-model.ts';

const layout = { cluster: 'w', shardCount: 4, streamCount: 1 };
const place = placeOf(layout, 'a/1');
const never = Number.POSITIVE_INFINITY;
const minuteMs = 60_000;

interface World {
  readonly model: NatsModel;
  readonly client: NatsClient;
  /** Opens the logs as another writer. */
  open(through?: NatsClient, by?: Clock): Promise<Log>;
}

function inWorld(task: (world: World) => Promise<void>): Promise<void> {
  return inNatsModel({ seed: 1 }, async model => {
    const client = await model.connect();
    const { clock, random } = model;
    let count = 0;
    const open = (through = client, by: Clock = clock) => {
      count += 1;
      const own = { client: through, random: random.fork(`${count}`) };
      return openNatsLog({ clock: by, ...own, ...layout });
    };
    await task({ model, client, open });
  });
}

/** A client whose messages to the log are held back until the gate is open. */
function heldBack(client: NatsClient, gate: { readonly promise: Promise<void> }): NatsClient {
  return {
    server: client.server,
    status: client.status,
    publish: (...args) => client.publish(...args),
    async request(subject, payload, options) {
      if (subject === place.subject) await gate.promise;
      return client.request(subject, payload, options);
    },
    subscribe: (...args) => client.subscribe(...args),
    inbox: () => client.inbox(),
    onStatus: listener => client.onStatus(listener),
    close: () => client.close(),
  };
}

async function append(log: Log, expected: Seq, wakeAt: number | undefined): Promise<Seq> {
  const result = await log.append('a/1', expected, [{ bytes: Buffer.from('x') }], { wakeAt });
  if (result.status !== 'accepted') throw new Error(`the append was answered ${result.status}`);
  return result.seq;
}

async function due(log: Log, dueAt = 1_000): Promise<number[]> {
  return (await log.heads({ dueAt })).heads.map(({ wakeAt }) => wakeAt);
}

/** The time that the mark says, as the servers have it. */
async function markedAt({ client }: World): Promise<number | undefined> {
  const body = JSON.stringify({ last_by_subj: markSubject(layout, 'wake', place) });
  const subject = '$JS.API.STREAM.MSG.GET.tp_w_marks';
  const reply = await client.request(subject, Buffer.from(body), { timeoutMs: 1_000 });
  if (reply.status !== 'answered') throw new Error('the model does not answer');
  const { message } = JSON.parse(Buffer.from(reply.message.payload).toString());
  return message === undefined
    ? undefined
    : decodeWakeEntry(Buffer.from(message.data, 'base64'), message.seq).dueAt;
}

it('takes a mark away when the log has no work any more', () =>
  inWorld(async world => {
    const log = await world.open();
    const first = await append(log, 0, 500);
    expect([await due(log), await markedAt(world)]).toEqual([[500], 500]);
    const second = await append(log, first, never);
    expect([await due(log), await markedAt(world)]).toEqual([[], undefined]);
    await append(log, second, 700);
    expect([await due(log), await markedAt(world)]).toEqual([[700], 700]);
  }));

it('moves a mark to the later time, and relies on it there', () =>
  inWorld(async world => {
    const log = await world.open();
    const first = await append(log, 0, 500);
    const second = await append(log, first, 5_000);
    expect(await markedAt(world)).toBe(500);
    expect([await due(log), await markedAt(world)]).toEqual([[], 5_000]);
    const third = await append(log, second, 6_000);
    expect(await markedAt(world)).toBe(5_000);
    await append(log, third, 4_000);
    expect(await markedAt(world)).toBe(4_000);
  }));

it('leaves a mark as it is while another writer may rely on what it replaced', () =>
  inWorld(async world => {
    const [ours, theirs] = [await world.open(), await world.open()];
    const tail = await append(ours, 0, never);
    await theirs.readLatest('a/1');
    await append(theirs, tail, 800);
    const late = await ours.append('a/1', tail, [{ bytes: Buffer.from('y') }], { wakeAt: 500 });
    expect(late.status).toBe('conflict');
    await due(ours);
    expect(await markedAt(world)).toBe(500);
    expect(await due(await world.open())).toEqual([800]);
  }));

it('leaves a mark as it is while a message of another writer, which needs it, is under way', () =>
  inWorld(async world => {
    const gate = Promise.withResolvers<void>();
    const [ours, theirs] = [await world.open(), await world.open(heldBack(world.client, gate))];
    const tail = await append(ours, 0, never);
    await theirs.readLatest('a/1');
    const underWay = append(theirs, tail, 100);
    await world.model.sleep(500);
    const wrong = await ours.append('a/1', 0, [{ bytes: Buffer.from('y') }], { wakeAt: 500 });
    expect(wrong.status).toBe('conflict');
    expect(await due(ours)).toEqual([]);
    gate.resolve();
    await underWay;
    expect(await due(await world.open())).toEqual([100]);
  }));

it('leaves a mark as it is while an append that needs it may still land', () =>
  inWorld(async world => {
    const log = await world.open();
    const first = await append(log, 0, 500);
    const second = await append(log, first, never);
    world.model.cluster.switches.next('late-write');
    const open = await log.append('a/1', second, [{ bytes: Buffer.from('y') }], { wakeAt: 600 });
    expect(open.status).toBe('unknown');
    expect(await due(log)).toEqual([]);
    expect(await markedAt(world)).toBe(500);
    await world.model.sleep(20_000);
    expect(await due(await world.open())).toEqual([600]);
  }));

it('moves no mark that another writer has replaced, however late', () =>
  inWorld(async world => {
    const [ours, theirs] = [await world.open(), await world.open()];
    const tail = await append(ours, await append(ours, 0, 500), 5_000);
    world.model.cluster.switches.next('late-write');
    const moving = due(ours);
    await world.model.sleep(500);
    await theirs.readLatest('a/1');
    await append(theirs, tail, 100);
    expect(await moving).toEqual([]);
    await world.model.sleep(20_000);
    expect(await markedAt(world)).toBe(100);
    expect(await due(await world.open())).toEqual([100]);
  }));

it('takes away the mark of a writer that is gone when it stood for an hour', () =>
  inWorld(async world => {
    const theirs = await world.open();
    await append(theirs, await append(theirs, 0, 500), never);
    await theirs.close();
    const ours = await world.open();
    expect(await due(ours)).toEqual([]);
    await world.model.sleep(59 * minuteMs);
    expect([await due(ours), await markedAt(world)]).toEqual([[], 500]);
    await world.model.sleep(2 * minuteMs);
    expect([await due(ours), await markedAt(world)]).toEqual([[], undefined]);
  }));

it('keeps the mark of a writer that is gone while the log has that work', () =>
  inWorld(async world => {
    const theirs = await world.open();
    await append(theirs, 0, 500);
    await theirs.close();
    const ours = await world.open();
    expect(await due(ours)).toEqual([500]);
    await world.model.sleep(300 * minuteMs);
    expect([await due(ours), await markedAt(world)]).toEqual([[500], 500]);
  }));

it('lists what cannot be read as having work, so that somebody looks', () =>
  inWorld(async world => {
    const log = await world.open();
    await append(log, 0, 500);
    await world.client.request(place.subject, Buffer.from('garbage'), { timeoutMs: 1_000 });
    expect(await due(await world.open())).toEqual([0]);
  }));

describe('a writer that stands still for long', () => {
  const longMs = 51 * minuteMs;

  /** A client that hands the first request on a subject to somebody else. */
  function stopped(
    client: NatsClient,
    subject: string,
    first: NatsClient['request'],
  ): { readonly client: NatsClient; readonly count: () => number } {
    let count = 0;
    const request: NatsClient['request'] = (asked, payload, options) => {
      if (asked === subject) count += 1;
      const isFirst = asked === subject && count === 1;
      return (isFirst ? first : client.request.bind(client))(asked, payload, options);
    };
    return {
      client: { ...heldBack(client, { promise: Promise.resolve() }), request },
      count: () => count,
    };
  }

  it('writes its mark anew before it appends: the first one may be gone', () =>
    inWorld(async world => {
      const { client, count } = stopped(
        world.client,
        markSubject(layout, 'wake', place),
        async (...request) => {
          const reply = await world.client.request(...request);
          await world.model.sleep(longMs);
          return reply;
        },
      );
      await append(await world.open(client), 0, 500);
      expect(count()).toBe(2);
    }));

  it('sends no message again under a mark that is too old', () =>
    inWorld(async world => {
      let isStill = false;
      const { client, count } = stopped(world.client, place.subject, async () => {
        isStill = true;
        return { status: 'nobody' };
      });
      const log = await world.open(client, {
        now: () => world.model.clock.now(),
        monotonic: () => world.model.clock.monotonic(),
        setTimer: (delayMs, task) => world.model.clock.setTimer(isStill ? longMs : delayMs, task),
        defer: task => world.model.clock.defer(task),
      });
      const records = [{ bytes: Buffer.from('x') }];
      const answer = await log.append('a/1', 0, records, { wakeAt: 500 });
      expect([answer.status, count()]).toEqual(['unavailable', 1]);
      isStill = false;
      await append(log, 0, 500);
      expect([count(), await markedAt(world)]).toEqual([2, 500]);
    }));
});
