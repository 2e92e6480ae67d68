/** The trap: what brings the real world into simulated code throws, inside and only there. */
import crypto, { randomUUID } from 'node:crypto';
import fs, { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { installTrap, outsideTrap, type SimTrap } from '../../../src/testing/sim-trap.ts';

let traps: SimTrap[] = [];

afterEach(() => {
  for (const trap of traps) trap.remove();
  traps = [];
});

function inside<Result>(task: () => Result): Result {
  const trap = installTrap();
  traps.push(trap);
  trap.enter();
  try {
    return task();
  } finally {
    trap.leave();
  }
}

/** What the trap says about a call, or that it let it pass. */
function verdict(call: () => unknown): string {
  return inside(() => {
    try {
      call();
      return 'passed';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  });
}

const offenders: Record<string, () => unknown> = {
  'Date.now': () => Date.now(),
  'new Date()': () => new Date(),
  'Date()': () => (Date as unknown as () => string)(),
  'performance.now': () => performance.now(),
  'Math.random': () => Math.random(),
  setTimeout: () => setTimeout(() => undefined, 1),
  setInterval: () => setInterval(() => undefined, 1),
  setImmediate: () => setImmediate(() => undefined),
  fetch: () => fetch('http://127.0.0.1:1'),
  'AbortSignal.timeout': () => AbortSignal.timeout(1),
  'process.hrtime': () => process.hrtime(),
  'process.hrtime.bigint': () => process.hrtime.bigint(),
  'process.uptime': () => process.uptime(),
  'process.memoryUsage': () => process.memoryUsage(),
  'process.memoryUsage.rss': () => process.memoryUsage.rss(),
  'process.nextTick': () => process.nextTick(() => undefined),
  'timers/promises.setTimeout': () => wait(1),
  'crypto.randomUUID': () => randomUUID(),
  'crypto.getRandomValues': () => globalThis.crypto.getRandomValues(new Uint8Array(4)),
  'crypto.randomBytes': () => crypto.randomBytes(4),
  'crypto.randomInt': () => crypto.randomInt(4),
  'crypto.subtle.digest': () => crypto.subtle.digest('SHA-256', new Uint8Array(4)),
  'fs.readFileSync': () => readFileSync('package.json'),
  'fs.writeFileSync': () => fs.writeFileSync('/nowhere/at/all', ''),
  'fs/promises.readFile': () => readFile('package.json'),
  'net.connect': () => net.connect(1),
  'zlib.gzip': () => zlib.gzip('', () => undefined),
  'new WeakRef()': () => new WeakRef({}),
  'new FinalizationRegistry()': () => new FinalizationRegistry(() => undefined),
};

describe('the trap', () => {
  for (const [name, call] of Object.entries(offenders)) {
    it(`catches ${name} and names it`, () => {
      expect(verdict(call)).toContain(`INVARIANT_BROKEN: simulated code called ${name};`);
    });
  }

  it('lets pass what is deterministic', () => {
    const harmless: (() => unknown)[] = [
      () => new Date(5).toISOString(),
      () => new Date('2030-01-01') instanceof Date,
      () => Date.parse('2030-01-01') + Date.UTC(2030, 0),
      () => queueMicrotask(() => undefined),
      () => Promise.resolve().then(() => undefined),
      () => structuredClone({ at: new Date(1) }),
      () => crypto.createHash('sha256').update('x').digest('hex'),
      () => zlib.crc32('x'),
      () => z.object({ at: z.coerce.date(), id: z.uuid() }).safeParse({ at: 5, id: 'x' }),
      () => new Error('with a stack').stack,
      () => clearTimeout(undefined),
      () => console.error(''),
    ];
    for (const call of harmless) expect(verdict(call)).toBe('passed');
  });

  it('catches nothing outside: before, between, and in what the simulator does itself', () => {
    const trap = installTrap();
    traps.push(trap);
    expect(Date.now()).toBeGreaterThan(0);
    trap.enter();
    expect(() => Date.now()).toThrow('INVARIANT_BROKEN');
    expect(outsideTrap(() => Date.now())).toBeGreaterThan(0);
    expect(() => Date.now()).toThrow('INVARIANT_BROKEN');
    trap.leave();
    expect(Date.now()).toBeGreaterThan(0);
    expect(Math.random()).toBeLessThan(1);
  });

  it('leaves Node itself alone: its streams queue ticks', async () => {
    let isDone = false;
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    inside(() =>
      sink.write('x', () => {
        isDone = true;
      }),
    );
    await new Promise(resolve => setImmediate(resolve));
    expect(isDone).toBe(true);
  });

  it('puts everything back, once the last of several is removed', () => {
    const before = [
      Date,
      setTimeout,
      Math.random,
      performance.now,
      fs.readFileSync,
      process.hrtime,
    ];
    const descriptor = Object.getOwnPropertyDescriptor(performance, 'now');
    const [first, second] = [installTrap(), installTrap()];
    first.remove();
    first.remove();
    second.enter();
    expect(() => Math.random()).toThrow('INVARIANT_BROKEN');
    second.remove();
    const after = [Date, setTimeout, Math.random, performance.now, fs.readFileSync, process.hrtime];
    for (const [place, original] of before.entries()) expect(after[place]).toBe(original);
    expect(Object.getOwnPropertyDescriptor(performance, 'now')).toEqual(descriptor);
    expect(randomUUID()).toHaveLength(36);
  });
});
