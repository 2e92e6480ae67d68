/** Direct gets with many messages in the answer: which answers count, and that each ends. */
import { beforeEach, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import type { NatsMessage, NatsSubscribeOptions } from '../../../src/engines/nats/client.ts';
import { type DirectAnswer, DirectGets } from '../../../src/engines/nats/direct-gets.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { TestTime } from '../../../src/testing/test-time.ts';
import { FakeNatsClient } from '../../helpers/fake-nats-client.ts';

/** A client that can be refused to listen, and whose listening can be ended. */
class Client extends FakeNatsClient {
  isAllowed = true;
  onEnded: ((cause: TroupeError) => void) | undefined;
  subscribedCount = 0;

  override async subscribe(
    subject: string,
    listener: (message: NatsMessage) => void,
    options: NatsSubscribeOptions = {},
  ): Promise<() => void> {
    if (!this.isAllowed) throw new TroupeError('UNAUTHORIZED', { detail: 'refused on purpose' });
    this.subscribedCount += 1;
    this.onEnded = options.onEnded;
    return super.subscribe(subject, listener, options);
  }
}

let client: Client;
let time: TestTime;
let gets: DirectGets;

beforeEach(() => {
  client = new Client();
  time = new TestTime(new SimRandom('nats-direct-gets'));
  const owner = { label: 'test', isAlive: true, isPaused: false, held: [] };
  gets = new DirectGets(client, time.clockFor(owner));
});

/** Asks, and notes the answer; the word of each question is its number. */
async function ask(): Promise<{ answer?: DirectAnswer | undefined; isEnded: boolean }> {
  const noted: { answer?: DirectAnswer | undefined; isEnded: boolean } = { isEnded: false };
  void gets.get('s', { seq: 1 }).then(answer => {
    noted.answer = answer;
    noted.isEnded = true;
  });
  await time.advance('1ms');
  return noted;
}

function arrive(word: number, message: Partial<NatsMessage> = {}): void {
  client.arrive('_INBOX.fake.*', { subject: `_INBOX.fake.${word.toString(36)}`, ...message });
}

it('collects messages up to the one that ends the answer, each question its own', async () => {
  const [first, second] = [await ask(), await ask()];
  expect(
    client.published.map(({ subject, payload }) => [subject, `${Buffer.from(payload)}`]),
  ).toEqual([
    ['$JS.API.DIRECT.GET.s', '{"seq":1}'],
    ['$JS.API.DIRECT.GET.s', '{"seq":1}'],
  ]);
  expect(client.subscribedCount).toBe(1);
  arrive(1);
  arrive(2, { status: 404 });
  arrive(1);
  arrive(1, { status: 204 });
  arrive(1);
  await time.advance('1ms');
  expect(first.answer).toMatchObject({
    messages: [{ status: 0 }, { status: 0 }],
    end: { status: 204 },
  });
  expect(second.answer).toMatchObject({ messages: [], end: { status: 404 } });
});

it('takes an answer for lost after 2 s of silence, and not while messages come', async () => {
  const noted = await ask();
  for (let round = 0; round < 5; round += 1) {
    await time.advance('1500ms');
    arrive(1);
  }
  expect(noted.isEnded).toBe(false);
  await time.advance('4s');
  expect(noted).toEqual({ answer: undefined, isEnded: true });
});

it('gives up at once what cannot be sent, and all when the connection breaks', async () => {
  const underWay = await ask();
  client.become('disconnected');
  await time.advance('1ms');
  expect(underWay.isEnded).toBe(true);
  client.isSending = false;
  expect(await ask()).toEqual({ answer: undefined, isEnded: true });
});

it('has no answer without the permission to listen, and asks for it anew each time', async () => {
  client.isAllowed = false;
  expect(await ask()).toEqual({ answer: undefined, isEnded: true });
  expect(client.published).toEqual([]);
  client.isAllowed = true;
  expect((await ask()).isEnded).toBe(false);
});

it('listens again after the servers ended that', async () => {
  const underWay = await ask();
  client.onEnded?.(new TroupeError('UNAUTHORIZED', { detail: 'taken back on purpose' }));
  await time.advance('1ms');
  expect(underWay.isEnded).toBe(true);
  await ask();
  expect(client.subscribedCount).toBe(2);
});

it('lets no more than 256 be under way, and the next ones follow', async () => {
  const noted = [];
  for (let count = 0; count < 258; count += 1) noted.push(await ask());
  expect(client.published).toHaveLength(256);
  arrive(1, { status: 404 });
  await time.advance('1ms');
  expect(client.published).toHaveLength(257);
  gets.close();
  await time.advance('1ms');
  expect(noted.every(({ isEnded }) => isEnded)).toBe(true);
});

it('stops listening when it is closed, and asks nothing more', async () => {
  await ask();
  gets.close();
  await time.advance('1ms');
  expect(client.subscriptionCount).toBe(0);
  expect(await ask()).toEqual({ answer: undefined, isEnded: true });
  expect(client.published).toHaveLength(1);
});
