/** Laws of the other ports can fail too: small lies, each rejected by at least one law. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/engines/system/clock.ts';
import { blobLaws } from '../../src/testing/blob-laws.ts';
import { busLaws } from '../../src/testing/bus-laws.ts';
import { clockLaws } from '../../src/testing/clock-laws.ts';
import { diskLaws } from '../../src/testing/disk-laws.ts';
import { keyValueLaws } from '../../src/testing/key-value-laws.ts';
import { checkLaws, type Law } from '../../src/testing/laws.ts';
import { linkLaws } from '../../src/testing/link-laws.ts';
import { randomLaws } from '../../src/testing/random-laws.ts';
import {
  openMemoryBlob,
  openMemoryBus,
  openMemoryKeyValue,
  openMemoryLink,
} from './memory-subjects.ts';
import { openSimDisk, openSystemClock, openSystemRandom } from './system-subjects.ts';

/** The first law that breaks when members of a port are replaced. */
async function firstBroken<Subject extends object>(
  laws: readonly Law<Subject>[],
  open: () => Promise<Subject & AsyncDisposable>,
  lie: (subject: Subject) => Partial<Subject>,
): Promise<string | undefined> {
  for (const law of laws) {
    const lying = async () => {
      const subject = await open();
      return { ...subject, ...lie(subject) };
    };
    const suite = { port: 'any', engine: 'a lie', laws: [law], open: lying };
    const [result] = await checkLaws(suite, systemClock());
    if (result?.status === 'broken') return result.law;
  }
  return undefined;
}

/** An object whose methods are those of another one, save for some. */
function replaced<Port extends object>(port: Port, members: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, key) {
      // A proxy sees plain keys; the members are looked up by them.
      const member = members[key as keyof Port] ?? target[key as keyof Port];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** A clock on which nobody waits longer than a moment for what will not come. */
const impatient = replaced(systemClock(), {
  setTimer: (delayMs, task) => systemClock().setTimer(Math.min(delayMs, 200), task),
});

it('rejects keys and values that ignore the revision', async () => {
  const law = await firstBroken(keyValueLaws, openMemoryKeyValue, ({ keyValue }) => ({
    keyValue: replaced(keyValue, {
      async compareAndSet(key, value) {
        const found = await keyValue.get(key);
        return keyValue.compareAndSet(key, value, found?.revision ?? 0);
      },
    }),
  }));
  expect(law).toBeDefined();
});

it('rejects keys and values whose watchers miss the last change', async () => {
  const law = await firstBroken(keyValueLaws.slice(-8), openMemoryKeyValue, ({ keyValue }) => ({
    clock: impatient,
    keyValue: replaced(keyValue, {
      watch(prefix, listener) {
        let last: Parameters<typeof listener>[0] | undefined;
        return keyValue.watch(prefix, change => {
          if (last !== undefined) listener(last);
          last = change;
        });
      },
    }),
  }));
  expect(law).toBeDefined();
});

it('rejects a bus that takes * for any number of words', async () => {
  const law = await firstBroken(busLaws.slice(8), openMemoryBus, ({ bus }) => ({
    bus: replaced(bus, {
      subscribe: (pattern, listener) => bus.subscribe(pattern.replace(/\*.*/, '>'), listener),
    }),
  }));
  expect(law).toBe('takes * for exactly one word');
});

it('rejects a bus that calls subscribers inside the publisher', async () => {
  const law = await firstBroken(busLaws, openMemoryBus, ({ bus }) => {
    const listeners: ((message: { topic: string; payload: Uint8Array }) => void)[] = [];
    return {
      clock: impatient,
      bus: replaced(bus, {
        subscribe(pattern, listener) {
          listeners.push(listener);
          return bus.subscribe(pattern, () => undefined);
        },
        publish(topic, payload) {
          for (const listener of listeners) listener({ topic, payload });
          return bus.publish(topic, payload);
        },
      }),
    };
  });
  expect(law).toBeDefined();
});

it('rejects blobs that are swept although they are young', async () => {
  const law = await firstBroken(blobLaws, openMemoryBlob, ({ blob }) => ({
    blob: replaced(blob, { sweep: keep => blob.sweep(keep, -1_000) }),
  }));
  expect(law).toBe('sweeps nothing that is young');
});

it('rejects a link that shares the bytes it sends', async () => {
  const law = await firstBroken(linkLaws.slice(3, 4), openMemoryLink, ({ other }) => ({
    other: replaced(other, {
      async connect(address, timeoutMs) {
        const connection = await other.connect(address, timeoutMs);
        return replaced(connection, {
          send(frame) {
            queueMicrotask(() => connection.send(frame));
            return true;
          },
        });
      },
    }),
  }));
  expect(law).toBe('takes the bytes of a frame as they are when it is sent');
});

it('rejects a disk that makes files unasked, and one that gives a lock twice', async () => {
  const makes = await firstBroken(diskLaws, openSimDisk, ({ disk }) => ({
    disk: replaced(disk, { open: path => disk.open(path, 'create') }),
  }));
  expect(makes).toBeDefined();
  const locks = await firstBroken(diskLaws, openSimDisk, ({ disk }) => ({
    disk: replaced(disk, { lock: async () => ({ release: async () => undefined }) }),
  }));
  expect(locks).toBe('gives a lock to one holder at a time');
});

it('rejects a clock that is early, and one that overflows', async () => {
  const early = await firstBroken(clockLaws, openSystemClock, ({ clock }) => ({
    clock: replaced(clock, {
      setTimer: (delayMs, task) => clock.setTimer(Math.max(0, delayMs - 3), task),
    }),
  }));
  expect(early).toBeDefined();
  const overflow = await firstBroken(clockLaws, openSystemClock, ({ clock }) => ({
    clock: replaced(clock, {
      setTimer: (delayMs, task) => clock.setTimer(delayMs >= 2 ** 31 ? 1 : delayMs, task),
    }),
  }));
  expect(overflow).toBe('holds delays longer than the timers of the machine can');
});

it('rejects randomness that is skewed, and ids that repeat', async () => {
  const skewed = await firstBroken(randomLaws, openSystemRandom, ({ random }) => ({
    random: replaced(random, { next: () => random.next() ** 1.1 }),
  }));
  expect(skewed).toBe('draws numbers with the mean and the spread of a uniform source');
  const short = await firstBroken(randomLaws, openSystemRandom, ({ random }) => ({
    random: replaced(random, {
      hex: bytes =>
        random
          .hex(2)
          .repeat(bytes)
          .slice(0, bytes * 2),
    }),
  }));
  expect(short).toBe('never writes the same id twice');
});
