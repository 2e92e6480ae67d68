/** The laws of topics and patterns, among them a model law against the plainest matcher. */
import type { BusMessage } from '../ports/bus.ts';
import type { BusSubject } from './bus-subject.ts';
import { bytesOf, Collected, mustEqual, mustFail } from './law-checks.ts';
import type { Law } from './laws.ts';
import { SimRandom } from './sim-random.ts';

/** See {@link BusSubject}. */
export const busPatternLaws: readonly Law<BusSubject>[] = [
  {
    name: 'takes * for exactly one word',
    run: subject =>
      mustMatch(subject, 'a.*.c', {
        matching: ['a.b.c', 'a.x.c'],
        others: ['a.c', 'a.b.b.c', 'a.b', 'a.b.c.d', 'x.b.c'],
      }),
  },
  {
    name: 'takes a final > for one or more words',
    run: subject =>
      mustMatch(subject, 'a.>', {
        matching: ['a.b', 'a.b.c', 'a.b.c.d.e'],
        others: ['a', 'b', 'ab.c'],
      }),
  },
  {
    name: 'takes * and > together, and > alone for everything',
    async run(subject) {
      await mustMatch(subject, '*.b.>', {
        matching: ['a.b.c', 'x.b.c.d'],
        others: ['a.b', 'b.c.d', 'a.x.b'],
      });
      await mustMatch(subject, '>', { matching: ['a', 'a.b.c'], others: [] });
    },
  },
  {
    name: 'takes words as they are, without regard to what other languages make of them',
    run: subject =>
      mustMatch(subject, 'a+.(b|c).[d]$', {
        matching: ['a+.(b|c).[d]$'],
        others: ['aa.b.d', 'a.b.d', 'A+.(b|c).[d]$'],
      }),
  },
  {
    name: 'refuses to publish on what is not a topic',
    async run({ bus }) {
      for (const topic of ['', '.', 'a.', '.a', 'a..b', 'a.*', '*', 'a.>', '>']) {
        const publishing = bus.publish(topic, bytesOf('x'));
        await mustFail(publishing, 'INVALID_INPUT', `publishing on "${topic}"`);
      }
    },
  },
  {
    name: 'agrees with a model about random patterns and topics',
    run: runModel,
  },
];

interface Expected {
  readonly matching: readonly string[];
  readonly others: readonly string[];
}

async function mustMatch(
  { bus, other, clock }: BusSubject,
  pattern: string,
  { matching, others }: Expected,
): Promise<void> {
  const seen = new Collected<BusMessage>(clock);
  const marker = new Collected<BusMessage>(clock);
  const stop = await bus.subscribe(pattern, message => seen.add(message));
  const stopMarker = await bus.subscribe('the-end', message => marker.add(message));
  for (const topic of [...others, ...matching]) await other.publish(topic, bytesOf('x'));
  await other.publish('the-end', bytesOf('x'));
  await seen.count(matching.length);
  await marker.count(1);
  stop();
  stopMarker();
  const topics = seen.items.map(message => message.topic).filter(topic => topic !== 'the-end');
  mustEqual(topics.toSorted(), matching.toSorted(), `the topics that match "${pattern}"`);
}

async function runModel({ bus, other, clock }: BusSubject): Promise<void> {
  const random = new SimRandom('bus-model/1');
  const words = (all: readonly string[]) =>
    Array.from({ length: 1 + random.below(4) }, () => random.pick(all) ?? 'a');
  const patterns = Array.from({ length: 30 }, () => {
    const fixed = words(['a', 'b', '*']);
    return [...fixed, ...(random.chance(0.3) ? ['>'] : [])].join('.');
  });
  const topics = Array.from({ length: 100 }, () => words(['a', 'b', 'c']).join('.'));
  const expected = patterns.flatMap(pattern =>
    topics.filter(topic => matches(pattern.split('.'), topic.split('.'))),
  );

  const seen = new Collected<string>(clock);
  for (const pattern of patterns) {
    await bus.subscribe(pattern, ({ topic }) => seen.add(`${pattern} ${topic}`));
  }
  for (const topic of topics) await other.publish(topic, bytesOf('x'));
  await seen.count(expected.length);
  for (const pattern of patterns) {
    const wanted = topics.filter(topic => matches(pattern.split('.'), topic.split('.')));
    const times = patterns.filter(each => each === pattern).length;
    const count = seen.items.filter(item => item.startsWith(`${pattern} `)).length;
    mustEqual(count, wanted.length * times, `the messages that "${pattern}" matches`);
  }
}

/** Word by word, as the definition reads. */
function matches([first, ...pattern]: string[], [word, ...topic]: string[]): boolean {
  if (first === '>') return word !== undefined;
  if (first === undefined || word === undefined) return first === word;
  return (first === '*' || first === word) && matches(pattern, topic);
}
