/** The memory engine, one subject for each port. */
import { memoryBlobs } from '../../src/engines/memory/blob.ts';
import { memoryBuses } from '../../src/engines/memory/bus.ts';
import { memoryKeyValues } from '../../src/engines/memory/key-value.ts';
import { memoryLinks } from '../../src/engines/memory/link.ts';
import { memoryLogs } from '../../src/engines/memory/log.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import type { BlobSubject } from '../../src/testing/blob-laws.ts';
import type { BusSubject } from '../../src/testing/bus-subject.ts';
import type { KeyValueSubject } from '../../src/testing/key-value-subject.ts';
import type { LinkSubject } from '../../src/testing/link-subject.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { reopenable } from './reopenable.ts';

const clock = systemClock();

/** Logs in memory. */
export async function openMemoryLog(): Promise<LogSubject & AsyncDisposable> {
  const store = memoryLogs();
  const { first, ...rest } = await reopenable(async () => store.open());
  return { log: first, damage: async name => store.damage(name), ...rest };
}

/** Keys and values in memory. */
export async function openMemoryKeyValue(): Promise<KeyValueSubject & AsyncDisposable> {
  const store = memoryKeyValues({ clock });
  const { first, ...rest } = await reopenable(async () => store.open());
  return { keyValue: first, clock, ...rest };
}

/** Blobs in memory. */
export async function openMemoryBlob(): Promise<BlobSubject & AsyncDisposable> {
  const store = memoryBlobs(clock);
  const { first, ...rest } = await reopenable(async () => store.open());
  return { blob: first, clock, damage: async id => store.damage(id), ...rest };
}

/** A bus in memory. */
export async function openMemoryBus(): Promise<BusSubject & AsyncDisposable> {
  const store = memoryBuses(clock);
  const [bus, other] = [store.open(), store.open()];
  return {
    bus,
    other,
    clock,
    async [Symbol.asyncDispose]() {
      await Promise.all([bus.close(), other.close()]);
    },
  };
}

/** Links in memory. */
export async function openMemoryLink(): Promise<LinkSubject & AsyncDisposable> {
  const store = memoryLinks({ clock });
  const [link, other] = [store.open(), store.open()];
  return {
    link,
    other,
    address: 'here:0',
    clock,
    async [Symbol.asyncDispose]() {
      await Promise.all([link.close(), other.close()]);
    },
  };
}
