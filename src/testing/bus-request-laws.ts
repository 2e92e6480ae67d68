/** The laws of asking one responder. */
import type { BusSubject } from './bus-subject.ts';
import { bytesOf, mustEqual, mustFail, readText } from './law-checks.ts';
import { type Law, within } from './laws.ts';

/** See {@link BusSubject}. */
export const busRequestLaws: readonly Law<BusSubject>[] = [
  {
    name: 'answers a request with what the responder gives',
    async run({ bus, other, clock }) {
      await bus.respond('echo', async ({ topic, payload }) =>
        bytesOf(`${topic} ${readText(payload)}`),
      );
      const answer = await within(clock, other.request('echo', bytesOf('hello'), 5_000));
      mustEqual(readText(answer), 'echo hello', 'the answer');
    },
  },
  {
    name: 'gives each of many concurrent requests its own answer',
    async run({ bus, other, clock }) {
      const resolvers: (() => void)[] = [];
      await bus.respond('late', async ({ payload }) => {
        // The first ones are answered last.
        await new Promise<void>(resolve => {
          resolvers.push(resolve);
          if (resolvers.length === 20) for (const each of resolvers.toReversed()) each();
        });
        return payload;
      });
      const texts = Array.from({ length: 20 }, (_, index) => `${index}`);
      const answers = await Promise.all(
        texts.map(text => within(clock, other.request('late', bytesOf(text), 5_000))),
      );
      mustEqual(answers.map(readText), texts, 'the answers');
    },
  },
  {
    name: 'says at once that nobody responds',
    async run({ bus, other, clock }) {
      await bus.subscribe('nobody', () => undefined);
      await bus.respond('nobody.else', async () => bytesOf('wrong'));
      const asking = other.request('nobody', bytesOf('x'), 3_600_000);
      const error = await mustFail(within(clock, asking), 'NODE_UNREACHABLE', 'asking nobody');
      mustEqual(error.outcome, 'not-executed', 'the outcome');
    },
  },
  {
    name: 'says that nobody responds when the responder has stopped',
    async run({ bus, other, clock }) {
      const stop = await bus.respond('topic', async () => bytesOf('one'));
      await within(clock, other.request('topic', bytesOf('x'), 5_000));
      stop();
      stop();
      await mustFail(
        within(clock, other.request('topic', bytesOf('x'), 3_600_000)),
        'NODE_UNREACHABLE',
        'asking after the stop',
      );
    },
  },
  {
    name: 'gives up a request when its time is over',
    async run({ bus, other, clock }) {
      let isAsked = false;
      await bus.respond('silent', () => {
        isAsked = true;
        return new Promise(() => undefined);
      });
      const startedAt = clock.monotonic();
      const asking = other.request('silent', bytesOf('x'), 60);
      const error = await mustFail(within(clock, asking), 'DEADLINE_EXCEEDED', 'asking');
      mustEqual([error.outcome, isAsked], ['unknown', true], 'the outcome, and whether asked');
      mustEqual(clock.monotonic() - startedAt >= 60, true, 'whether it waited that long');
    },
  },
  {
    name: 'fails a request whose responder throws, before its time is over',
    async run({ bus, other, clock }) {
      await bus.respond('broken', async () => {
        throw new Error('thrown by a responder on purpose');
      });
      const asking = other.request('broken', bytesOf('x'), 3_600_000);
      await mustFail(within(clock, asking), 'HANDLER_FAILED', 'asking');
      await bus.respond('sound', async () => bytesOf('fine'));
      const answer = await within(clock, other.request('sound', bytesOf('x'), 5_000));
      mustEqual(readText(answer), 'fine', 'the answer of another responder');
    },
  },
  {
    name: 'shares no bytes between who asks and who answers',
    async run({ bus, other, clock }) {
      const answer = bytesOf('answer');
      await bus.respond('topic', async ({ payload }) => {
        payload.fill(0);
        return answer;
      });
      const question = bytesOf('question');
      const first = await within(clock, other.request('topic', question, 5_000));
      mustEqual(readText(question), 'question', 'what was passed in');
      first.fill(0);
      const second = await within(clock, other.request('topic', question, 5_000));
      mustEqual(readText(second), 'answer', 'the second answer');
    },
  },
];
