/** The switches of blobs, bus and links in memory. */
import { expect, it } from 'vitest';
import { memoryBlobs } from '../../../src/engines/memory/blob.ts';
import { memoryBuses } from '../../../src/engines/memory/bus.ts';
import { memoryLinks } from '../../../src/engines/memory/link.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { Collected } from '../../../src/testing/law-checks.ts';

const clock = systemClock();
const one = Uint8Array.of(1);

it('shows a damaged blob, and mends it when the same bytes are stored again', async () => {
  const store = memoryBlobs(clock);
  const blob = store.open();
  const id = await blob.put(one);
  store.damage(id);
  await expect(blob.get(id)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  await blob.put(one);
  expect(await blob.get(id)).toEqual(one);
});

it('loses what is published while the bus is cut, and finds nobody', async () => {
  const store = memoryBuses(clock);
  const bus = store.open();
  const seen = new Collected<number | undefined>(clock);
  await bus.subscribe('topic', ({ payload }) => seen.add(payload[0]));
  await bus.respond('ask', async () => one);
  store.isCut = true;
  await bus.publish('topic', one);
  await expect(bus.request('ask', one, 1_000)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  store.isCut = false;
  await bus.publish('topic', Uint8Array.of(2));
  expect(await seen.count(1)).toEqual([2]);
  expect(await bus.request('ask', one, 1_000)).toEqual(one);
});

it('counts listeners that throw', async () => {
  const store = memoryBuses(clock);
  const bus = store.open();
  const seen = new Collected<number>(clock);
  await bus.subscribe('topic', () => {
    throw new Error('on purpose');
  });
  await bus.subscribe('topic', () => seen.add(1));
  await bus.publish('topic', one);
  await seen.count(1);
  expect(store.listenerErrors).toBe(1);
});

it('refuses patterns that are none', async () => {
  const bus = memoryBuses(clock).open();
  for (const pattern of ['', 'a..b', 'a.>.b', '>.a']) {
    await expect(bus.subscribe(pattern, () => undefined)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  }
});

it('resets every connection of a network, and tells both ends so', async () => {
  const store = memoryLinks({ clock });
  const [near, far] = [store.open(), store.open()];
  const closes = new Collected<string>(clock);
  const listener = await near.listen('here:0', connection =>
    connection.onClose(reason => closes.add(`near ${reason}`)),
  );
  const connection = await far.connect(listener.address, 1_000);
  connection.onClose(reason => closes.add(`far ${reason}`));
  await new Promise(resolve => setImmediate(resolve));
  store.resetAll();
  expect([...(await closes.count(2))].sort()).toEqual(['far reset', 'near reset']);
});

it('holds frames back while it is paused, and says that the other end is slow', async () => {
  const store = memoryLinks({ clock, queueBytesSoftMax: 2 });
  const [near, far] = [store.open(), store.open()];
  const frames = new Collected<number | undefined>(clock);
  const listener = await near.listen('here:0', connection =>
    connection.onFrame(frame => frames.add(frame[0])),
  );
  const connection = await far.connect(listener.address, 1_000);
  store.setPaused(true);
  expect(connection.send(one)).toBe(true);
  expect(connection.send(Uint8Array.of(2))).toBe(false);
  const drained = connection.drained();
  store.setPaused(false);
  await drained;
  expect(await frames.count(2)).toEqual([1, 2]);
});

it('refuses a frame that is too large', async () => {
  const store = memoryLinks({ clock, frameBytesMax: 3 });
  const link = store.open();
  const listener = await link.listen('here:0', () => undefined);
  const connection = await link.connect(listener.address, 1_000);
  expect(() => connection.send(new Uint8Array(4))).toThrow(/PAYLOAD_TOO_LARGE/);
});
