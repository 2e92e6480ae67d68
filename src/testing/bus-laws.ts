/** The laws of the Bus port: topics and patterns, order, requests. */
import type { BusMessage } from '../ports/bus.ts';
import { busPatternLaws } from './bus-pattern-laws.ts';
import { busRequestLaws } from './bus-request-laws.ts';
import type { BusSubject } from './bus-subject.ts';
import { bytesOf, Collected, mustEqual, mustFail, readText } from './law-checks.ts';
import type { Law } from './laws.ts';

const publishLaws: readonly Law<BusSubject>[] = [
  {
    name: 'delivers what is published to who subscribes, and to nobody else',
    async run({ bus, other, clock }) {
      const seen = new Collected<BusMessage>(clock);
      const stray = new Collected<BusMessage>(clock);
      await bus.subscribe('agents.started', message => seen.add(message));
      await bus.subscribe('agents.stopped', message => stray.add(message));
      await other.publish('agents.started', bytesOf('one'));
      await bus.publish('agents.started', bytesOf('two'));
      await seen.count(2);
      await bus.publish('agents.stopped', bytesOf('end'));
      await stray.count(1);
      mustEqual(describe(seen.items).sort(), ['agents.started one', 'agents.started two'], 'seen');
      mustEqual(describe(stray.items), ['agents.stopped end'], 'the other topic');
    },
  },
  {
    name: 'delivers the messages of one publisher on one topic in their order',
    async run({ bus, other, clock }) {
      const seen = new Collected<BusMessage>(clock);
      await bus.subscribe('order', message => seen.add(message));
      const texts = Array.from({ length: 300 }, (_, index) => `${index}`);
      await Promise.all(texts.map(text => other.publish('order', bytesOf(text))));
      await seen.until(all => all.some(message => readText(message.payload) === '299'));
      mustEqual(
        seen.items.map(message => readText(message.payload)),
        texts,
        'the order',
      );
    },
  },
  {
    name: 'delivers to each of many subscribers once, also twice to one that subscribed twice',
    async run({ bus, other, clock }) {
      const seen = new Collected<number>(clock);
      const same = () => seen.add(-1);
      for (let index = 0; index < 10; index++) await bus.subscribe('many', () => seen.add(index));
      await bus.subscribe('many', same);
      await bus.subscribe('many', same);
      await other.publish('many', bytesOf('x'));
      await seen.count(12);
      const expected = [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
      mustEqual(
        seen.items.toSorted((left, right) => left - right),
        expected,
        'who was called',
      );
    },
  },
  {
    name: 'delivers nothing that was published before the subscription, or after its end',
    async run({ bus, clock }) {
      const seen = new Collected<BusMessage>(clock);
      const marker = new Collected<BusMessage>(clock);
      await bus.publish('topic', bytesOf('before'));
      const stop = await bus.subscribe('topic', message => seen.add(message));
      await bus.subscribe('topic', message => marker.add(message));
      await bus.publish('topic', bytesOf('during'));
      await seen.count(1);
      stop();
      stop();
      await bus.publish('topic', bytesOf('after'));
      await marker.count(2);
      mustEqual(describe(seen.items), ['topic during'], 'what was delivered');
    },
  },
  {
    name: 'calls subscribers outside the call stack of the publisher',
    async run({ bus, clock }) {
      const seen = new Collected<boolean>(clock);
      let isInside = false;
      await bus.subscribe('topic', () => seen.add(isInside));
      isInside = true;
      const publishing = bus.publish('topic', bytesOf('x'));
      isInside = false;
      await publishing;
      mustEqual([...(await seen.count(1))], [false], 'whether it was called inside');
    },
  },
  {
    name: 'lets a subscriber that throws harm nobody else',
    async run({ bus, other, clock }) {
      const seen = new Collected<BusMessage>(clock);
      await bus.subscribe('topic', () => {
        throw new Error('thrown by a listener on purpose');
      });
      await bus.subscribe('topic', message => seen.add(message));
      await other.publish('topic', bytesOf('one'));
      await other.publish('topic', bytesOf('two'));
      await seen.count(2);
    },
  },
  {
    name: 'carries payloads of all sizes, and shares no bytes with its callers',
    async run({ bus, other, clock }) {
      const seen = new Collected<BusMessage>(clock);
      await bus.subscribe('topic', message => {
        seen.add({ ...message, payload: Uint8Array.from(message.payload) });
        message.payload.fill(0);
      });
      const again = new Collected<BusMessage>(clock);
      await bus.subscribe('topic', message => again.add(message));
      const buffer = bytesOf('__mine__');
      await other.publish('topic', buffer.subarray(2, 6));
      buffer.fill(0);
      await other.publish('topic', new Uint8Array());
      await other.publish('topic', new Uint8Array(100_000).fill(7));
      await again.count(3);
      await seen.count(3);
      for (const { items } of [seen, again]) {
        mustEqual(readText(items[0]?.payload ?? new Uint8Array()), 'mine', 'the first payload');
        const lengths = items.map(message => message.payload.length);
        mustEqual(lengths, [4, 0, 100_000], 'the lengths');
      }
    },
  },
  {
    name: 'may be closed twice, then refuses everything, and leaves other handles alone',
    async run({ bus, other, clock }) {
      const seen = new Collected<BusMessage>(clock);
      const closed = new Collected<BusMessage>(clock);
      await other.subscribe('topic', message => seen.add(message));
      await bus.subscribe('topic', message => closed.add(message));
      await Promise.all([bus.close(), bus.close()]);
      await mustFail(bus.publish('topic', bytesOf('x')), 'NOT_STARTED', 'publishing');
      await mustFail(
        bus.subscribe('topic', () => undefined),
        'NOT_STARTED',
        'subscribing',
      );
      await mustFail(bus.request('topic', bytesOf('x'), 1_000), 'NOT_STARTED', 'asking');
      await other.publish('topic', bytesOf('still'));
      await seen.count(1);
      mustEqual(closed.items.length, 0, 'what a closed handle was told');
    },
  },
];

/** What every engine keeps that offers a bus. */
export const busLaws: readonly Law<BusSubject>[] = [
  ...publishLaws,
  ...busPatternLaws,
  ...busRequestLaws,
];

function describe(messages: readonly BusMessage[]): string[] {
  return messages.map(message => `${message.topic} ${readText(message.payload)}`);
}
