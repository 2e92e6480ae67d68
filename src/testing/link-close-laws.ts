/** The laws of the end of a connection: both ends hear of it, once, after the frames before it. */
import { bytesOf, Collected, mustEqual, mustFail, readText } from './law-checks.ts';
import { type Law, within } from './laws.ts';
import { connectPair, type LinkSubject, watchEnd } from './link-subject.ts';

/** See {@link LinkSubject}. */
export const linkCloseLaws: readonly Law<LinkSubject>[] = [
  {
    name: 'delivers what was sent before a close, then tells both ends once',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      for (const text of ['one', 'two', 'three']) far.connection.send(bytesOf(text));
      far.connection.close();
      far.connection.close();
      await near.closes.count(1);
      await far.closes.count(1);
      mustEqual(near.frames.items.map(readText), ['one', 'two', 'three'], 'what arrived');
      near.connection.close();
      await turn(subject);
      mustEqual(near.closes.items, ['closed'], 'what the near end was told');
      mustEqual(far.closes.items, ['closed'], 'what the far end was told');
    },
  },
  {
    name: 'sends nothing after a close',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      far.connection.send(bytesOf('before'));
      far.connection.close();
      mustEqual(far.connection.send(bytesOf('after')), false, 'the answer to a late frame');
      await near.closes.count(1);
      mustEqual(near.connection.send(bytesOf('back')), false, 'the answer at the other end');
      mustEqual(near.frames.items.map(readText), ['before'], 'what arrived');
      mustEqual(far.frames.items.length, 0, 'what came back');
    },
  },
  {
    name: 'gets nothing after its own close',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      near.connection.close();
      far.connection.send(bytesOf('late'));
      await near.closes.count(1);
      await far.closes.count(1);
      mustEqual(near.frames.items.length, 0, 'what arrived');
    },
  },
  {
    name: 'tells of a close also who asks after it',
    async run(subject) {
      const { near, far } = await connectPair(subject);
      far.connection.close();
      await near.closes.count(1);
      await far.closes.count(1);
      for (const { connection } of [near, far]) {
        const late = new Collected<string>(subject.clock);
        connection.onClose(reason => late.add(reason));
        mustEqual([...(await late.count(1))], ['closed'], 'what was told late');
        await within(subject.clock, connection.drained());
      }
    },
  },
  {
    name: 'keeps connections when their listener stops accepting',
    async run(subject) {
      const { listener, near, far } = await connectPair(subject);
      await listener.close();
      await listener.close();
      await mustFail(
        within(subject.clock, subject.other.connect(listener.address, 5_000)),
        'NODE_UNREACHABLE',
        'connecting after the stop',
      );
      far.connection.send(bytesOf('still'));
      near.connection.send(bytesOf('here'));
      await near.frames.count(1);
      await far.frames.count(1);
    },
  },
  {
    name: 'ends listeners and connections with the link, and refuses everything after that',
    async run(subject) {
      const { link, other, address, clock } = subject;
      const { listener, near, far } = await connectPair(subject);
      await Promise.all([link.close(), link.close()]);
      await near.closes.count(1);
      await far.closes.count(1);
      await mustFail(
        within(clock, other.connect(listener.address, 5_000)),
        'NODE_UNREACHABLE',
        'connecting to a link that is closed',
      );
      await mustFail(link.connect(listener.address, 5_000), 'NOT_STARTED', 'connecting');
      await mustFail(
        link.listen(address, () => undefined),
        'NOT_STARTED',
        'listening',
      );
    },
  },
];

/** Gives the network the time of one exchange. */
async function turn({ link, other, address, clock }: LinkSubject): Promise<void> {
  const listener = await link.listen(address, connection => {
    connection.onFrame(frame => void connection.send(frame));
  });
  const end = watchEnd(await within(clock, other.connect(listener.address, 5_000)), clock);
  end.connection.send(bytesOf('turn'));
  await end.frames.count(1);
  end.connection.close();
  await listener.close();
}
