/** The laws of the Link port: frames arrive whole and in order, or the connection closes. */
import type { LinkConnection } from '../ports/link.ts';
import {
  bytesOf,
  Collected,
  must,
  mustEqual,
  mustFail,
  patternBytes,
  readText,
  sameBytes,
} from './law-checks.ts';
import { type Law, within } from './laws.ts';
import { linkCloseLaws } from './link-close-laws.ts';
import { connectPair, type LinkSubject, watchEnd } from './link-subject.ts';
import { SimRandom } from './sim-random.ts';

const frameLaws: readonly Law<LinkSubject>[] = [
  {
    name: 'carries frames both ways, whole and in order',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      const texts = Array.from({ length: 200 }, (_, index) => `frame ${index}`);
      for (const text of texts) {
        far.connection.send(bytesOf(text));
        near.connection.send(bytesOf(`back ${text}`));
      }
      await near.frames.count(200);
      await far.frames.count(200);
      mustEqual(near.frames.items.map(readText), texts, 'what the near end got');
      const back = texts.map(text => `back ${text}`);
      mustEqual(far.frames.items.map(readText), back, 'what the far end got');
    },
  },
  {
    name: 'carries frames of no bytes and of megabytes',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      const lengths = [0, 1, 0, 65_535, 65_536, 2_000_000, 0, 3];
      for (const length of lengths) {
        if (!far.connection.send(patternBytes(length))) await far.connection.drained();
      }
      const frames = await near.frames.count(lengths.length);
      mustEqual(
        frames.map(frame => frame.length),
        lengths,
        'the lengths',
      );
      must(
        frames.every(frame => sameBytes(frame, patternBytes(frame.length))),
        'the bytes are the same',
      );
    },
  },
  {
    name: 'carries random frames as they are, in a model of a thousand',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      const random = new SimRandom('link-model/1');
      const sent: Uint8Array[] = [];
      for (let index = 0; index < 1_000; index++) {
        const length = random.chance(0.02) ? random.below(200_000) : random.below(300);
        sent.push(patternBytes(length, index));
        if (!far.connection.send(patternBytes(length, index))) await far.connection.drained();
      }
      const got = await near.frames.count(sent.length);
      mustEqual(got.length, sent.length, 'the number of frames');
      for (const [index, frame] of sent.entries()) {
        must(sameBytes(got[index] ?? new Uint8Array(), frame), `frame ${index} is the same`);
      }
    },
  },
  {
    name: 'takes the bytes of a frame as they are when it is sent',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      const buffer = bytesOf('__mine__');
      far.connection.send(buffer.subarray(2, 6));
      buffer.fill(0);
      const [frame = new Uint8Array()] = await near.frames.count(1);
      mustEqual(readText(frame), 'mine', 'what arrived');
    },
  },
  {
    name: 'keeps frames until somebody listens for them',
    async run({ link, other, address, clock }) {
      const accepted = new Collected<LinkConnection>(clock);
      const listener = await link.listen(address, connection => accepted.add(connection));
      const dialled = await within(clock, other.connect(listener.address, 5_000));
      const marker = watchEnd(dialled, clock);
      for (const text of ['one', 'two']) dialled.send(bytesOf(text));
      const [connection] = await accepted.count(1);
      // An answer the other way gives the frames time to arrive.
      connection?.send(bytesOf('ready'));
      await marker.frames.count(1);
      if (connection === undefined) throw new Error('a connection must be accepted');
      const frames = await watchEnd(connection, clock).frames.count(2);
      mustEqual(frames.map(readText), ['one', 'two'], 'what arrived');
    },
  },
  {
    name: 'keeps connections apart',
    async run({ link, other, address, clock }) {
      const accepted = new Collected<Collected<Uint8Array>>(clock);
      const listener = await link.listen(address, connection => {
        accepted.add(watchEnd(connection, clock).frames);
      });
      const dialled = await Promise.all(
        Array.from({ length: 5 }, () => within(clock, other.connect(listener.address, 5_000))),
      );
      for (const [index, connection] of dialled.entries()) {
        for (let count = 0; count < 10; count++) connection.send(bytesOf(`${index}`));
      }
      const ends = await accepted.count(5);
      const seen: string[] = [];
      for (const frames of ends) {
        const texts = new Set((await frames.count(10)).map(readText));
        mustEqual(texts.size, 1, 'the number of senders on one connection');
        seen.push(...texts);
      }
      mustEqual(seen.sort(), ['0', '1', '2', '3', '4'], 'the senders');
    },
  },
  {
    name: 'says when the other end is slow, and when it takes frames again',
    async run({ link, other, address, clock }) {
      const accepted = new Collected<LinkConnection>(clock);
      const listener = await link.listen(address, connection => accepted.add(connection));
      const connection = await within(clock, other.connect(listener.address, 5_000));
      const [near] = await accepted.count(1);
      // Nobody listens at the near end, so at some point the far end has to wait.
      let sent = 1;
      while (connection.send(patternBytes(65_536, sent)) && sent < 1_024) sent += 1;
      must(sent < 1_024, 'a sender is told to wait before 64 MiB are under way');
      let isDrained = false;
      const drained = connection.drained().then(() => {
        isDrained = true;
      });
      await Promise.resolve();
      mustEqual(isDrained, false, 'drained while nobody listens');
      if (near === undefined) throw new Error('a connection must be accepted');
      const { frames } = watchEnd(near, clock);
      await within(clock, drained);
      connection.send(patternBytes(65_536, 0));
      const got = await frames.count(sent + 1);
      mustEqual(got.length, sent + 1, 'the number of frames');
      must(
        got.every((frame, index) =>
          sameBytes(frame, patternBytes(65_536, (index + 1) % (sent + 1))),
        ),
        'all frames are whole and in order',
      );
    },
  },
];

const dialLaws: readonly Law<LinkSubject>[] = [
  {
    name: 'says whom a connection reaches',
    async run(subject) {
      const { listener, near, far } = await connectPair(subject);
      mustEqual(far.connection.remote, listener.address, 'the address that was dialled');
      must(near.connection.remote !== '', 'the end that accepted knows an address as well');
    },
  },
  {
    name: 'says that nobody accepts, and that nothing was sent',
    async run({ link, other, address, clock }) {
      const listener = await link.listen(address, () => undefined);
      await listener.close();
      const dialling = within(clock, other.connect(listener.address, 5_000));
      const error = await mustFail(dialling, 'NODE_UNREACHABLE', 'connecting to nobody');
      mustEqual(error.outcome, 'not-executed', 'the outcome');
    },
  },
  {
    name: 'refuses to listen where somebody listens, and allows it when they have stopped',
    async run({ link, other, address }) {
      const listener = await link.listen(address, () => undefined);
      for (const each of [link, other]) {
        await mustFail(
          each.listen(listener.address, () => undefined),
          'PORT_IN_USE',
          'listening on a taken address',
        );
      }
      await listener.close();
      const again = await other.listen(listener.address, () => undefined);
      mustEqual(again.address, listener.address, 'the address');
      await again.close();
    },
  },
  {
    name: 'chooses different addresses for several listeners',
    async run({ link, address }) {
      const first = await link.listen(address, () => undefined);
      const second = await link.listen(address, () => undefined);
      must(first.address !== second.address, 'the addresses differ');
    },
  },
];

/** What every engine keeps that offers links. */
export const linkLaws: readonly Law<LinkSubject>[] = [...frameLaws, ...dialLaws, ...linkCloseLaws];
