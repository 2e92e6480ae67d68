/** The parts that a connection is made of, without servers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import {
  checkedOptions,
  connectionDefaults,
  type NatsConnectionOptions,
} from '../../../src/engines/nats/connection-options.ts';
import { RequestTable } from '../../../src/engines/nats/request-table.ts';
import { SendWindow } from '../../../src/engines/nats/send-window.ts';
import { isAtLeast, versionIn } from '../../../src/engines/nats/server-version.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';

const denied = new TroupeError('UNAUTHORIZED', { detail: 'no' });
const answer = { subject: 'i.1', payload: Buffer.of(1), headers: {}, status: 0 };

/** A clock whose timers fire by hand. */
function handClock(): Clock & { fire(): void; readonly pending: number } {
  const tasks = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    defer: task => task(),
    setTimer(_, task) {
      tasks.add(task);
      return { cancel: () => void tasks.delete(task) };
    },
    fire() {
      for (const task of [...tasks]) task();
    },
    get pending() {
      return tasks.size;
    },
  };
}

describe('RequestTable', () => {
  it('ends each request once, and leaves no timer behind', async () => {
    const clock = handClock();
    const table = new RequestTable(clock, 10);
    const asked = ['a', 'b', 'c', 'd'].map(subject => table.open(subject, 1_000));
    const [first, second, third, fourth] = asked;
    table.answer(first?.word ?? '', answer);
    table.answer(first?.word ?? '', { ...answer, status: 503, payload: Buffer.of() });
    table.answer(second?.word ?? '', { ...answer, status: 503, payload: Buffer.of() });
    table.refuse(third?.word ?? '', denied);
    clock.fire();
    table.endAll(denied);
    table.answer('unknown', answer);
    const replies = await Promise.all(asked.map(({ reply }) => reply));
    expect(replies.map(({ status }) => status)).toEqual([
      'answered',
      'nobody',
      'unavailable',
      'unknown',
    ]);
    expect(await fourth?.reply).toMatchObject({ cause: { code: 'DEADLINE_EXCEEDED' } });
    expect(clock.pending).toBe(0);
  });

  it('takes a 503 with a payload for an answer', async () => {
    const table = new RequestTable(handClock(), 10);
    const { word, reply } = table.open('a', 1);
    table.answer(word, { ...answer, status: 503 });
    expect((await reply).status).toBe('answered');
  });

  it('is full at its limit, and has room again', () => {
    const table = new RequestTable(handClock(), 2);
    const { word } = table.open('a', 1);
    expect(table.isFull).toBe(false);
    table.open('b', 1);
    expect(table.isFull).toBe(true);
    table.answer(word, answer);
    expect(table.isFull).toBe(false);
  });

  it('says that a refused request surely did not run only if no other may be meant', async () => {
    const table = new RequestTable(handClock(), 10);
    const [one, two] = [table.open('a', 1), table.open('a', 1)];
    const other = table.open('b', 1);
    expect(table.refuseOldest('c', denied)).toBe(false);
    expect(table.refuseOldest('a', denied)).toBe(true);
    expect(table.refuseOldest('a', denied)).toBe(true);
    expect(table.refuseOldest('a', denied)).toBe(false);
    expect(table.refuseOldest('b', denied)).toBe(true);
    const replies: NatsReply[] = await Promise.all([one.reply, two.reply, other.reply]);
    expect(replies.map(({ status }) => status)).toEqual(['unknown', 'unavailable', 'unavailable']);
  });
});

describe('SendWindow', () => {
  it('never holds more than its bytes, and always waits for something when full', () => {
    const sizes = fc.array(fc.nat(3_000_000), { maxLength: 40 });
    const limits = fc.integer({ min: 1, max: 5_000_000 });
    fc.assert(
      fc.property(sizes, limits, (messages, bytesMax) => {
        const { window, marks } = windowOf(bytesMax);
        let held = 0;
        for (const bytes of messages) {
          if (!window.hasRoomFor(bytes)) {
            // Whoever finds it full must be able to wait for something.
            expect(marks.length).toBeGreaterThan(0);
            continue;
          }
          expect(held === 0 || held + bytes <= bytesMax).toBe(true);
          window.sent(bytes);
          held += bytes;
        }
      }),
    );
  });

  it('has room again when the server has read, and with another server', async () => {
    const { window, read } = windowOf(100);
    window.sent(100);
    expect(window.hasRoomFor(1)).toBe(false);
    await read();
    expect(window.hasRoomFor(100)).toBe(true);
    window.sent(60);
    expect(window.hasRoomFor(50)).toBe(false);
    window.reset();
    expect(window.hasRoomFor(100)).toBe(true);
    window.sent(100);
    // What the old server says late does not count for the new one.
    await read(1);
    expect(window.hasRoomFor(1)).toBe(false);
  });
});

function windowOf(bytesMax: number) {
  const marks: (() => void)[] = [];
  const window = new SendWindow(bytesMax, () => new Promise<void>(resolve => marks.push(resolve)));
  const read = async (count = marks.length) => {
    for (const mark of marks.splice(0, count)) mark();
    await new Promise(setImmediate);
  };
  return { window, marks, read };
}

describe('options', () => {
  const of = (options: Partial<NatsConnectionOptions>) =>
    checkedOptions({ servers: 'nats://127.0.0.1', ...options });

  it('completes addresses', () => {
    expect(of({})).toMatchObject({ ...connectionDefaults, servers: ['127.0.0.1:4222'] });
    expect(of({ servers: 'a:1, nats://b ,tls://c:3' })).toMatchObject({
      servers: ['a:1', 'b:4222', 'c:3'],
      tls: {},
    });
    expect(of({ servers: ['nats://[::1]:5'] }).servers).toEqual(['[::1]:5']);
    expect(of({ tls: false }).tls).toBe(undefined);
    expect(of({ tls: true }).tls).toEqual({});
  });

  it('takes credentials from an address, unless others are given', () => {
    const servers = 'nats://me:p%40ss@a,nats://b';
    expect(of({ servers }).credentials).toEqual({ user: 'me', password: 'p@ss' });
    expect(of({ servers: 'nats://secret@a' }).credentials).toEqual({ token: 'secret' });
    expect(of({ servers, credentials: { token: 't' } }).credentials).toEqual({ token: 't' });
  });

  it.each<[string, Partial<NatsConnectionOptions>]>([
    ['no servers', { servers: [] }],
    ['an empty address', { servers: '' }],
    ['another protocol', { servers: 'http://a' }],
    ['a path', { servers: 'nats://a/b' }],
    ['nonsense', { servers: 'nats://a:b:c' }],
    ['an inbox with wildcards', { inboxPrefix: 'a.>' }],
    ['an inbox without words', { inboxPrefix: '' }],
    ['a seed of something else', { credentials: { nkeySeed: 'SAAB' } }],
    ['an empty password', { credentials: { user: 'a', password: '' } }],
    ['no time', { connectTimeoutMs: 0 }],
    ['half a request', { requestsMax: 0.5 }],
    ['a window that is no number', { unreadBytesMax: Number.NaN }],
  ])('refuses %s', async (_, options) => {
    const refused = await failureOf((async () => of(options))());
    expect(refused.code).toBe('CONFIG_INVALID');
  });

  it('shows no password in what it refuses', async () => {
    const refused = await failureOf((async () => of({ servers: 'nats://me:secret@a/b' }))());
    expect(refused.message).not.toContain('secret');
  });
});

describe('versions', () => {
  it('finds the version in what a server says', () => {
    expect(versionIn('nats-server: v2.15.1')).toBe('2.15.1');
    expect(versionIn('2.12.0-RC.1 is out')).toBe('2.12.0-RC.1');
    expect(versionIn('nats')).toBe(undefined);
  });

  it.each([
    ['2.10.23', '2.10.23', true],
    ['2.10.22', '2.10.23', false],
    ['2.9.30', '2.10.0', false],
    ['3.0.0', '2.10.23', true],
    ['v2.11.0', '2.10.23', true],
    ['2.11.0-beta.1', '2.11.0', false],
    ['2.11.1-beta.1', '2.11.0', true],
    ['2.11', '2.10.0', false],
    ['', '2.10.0', false],
  ])('%s is at least %s: %s', (version, floor, expected) => {
    expect(isAtLeast(version, floor)).toBe(expected);
  });
});
