/**
 * The trap: while simulated code runs, whatever would bring real time, randomness, disk or network
 * into it throws and names itself. Lint finds such calls in our own files; the trap finds them in
 * dependencies and in users' agents. Microtasks are left alone: they are deterministic.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import zlib from 'node:zlib';
import { TroupeError } from '../core/errors.ts';

/** The trap of one run. */
export interface SimTrap {
  /** Simulated code runs from here on. */
  enter(): void;
  /** Simulated code has paused: the real platform is usable again. */
  leave(): void;
  /** Puts everything back. */
  remove(): void;
}

type Callable = (...values: never[]) => unknown;
type Place = Record<string, unknown>;

let isInside = false;
let installed = 0;
let restore: (() => void)[] = [];

/**
 * Sets the trap up; it catches only between `enter` and `leave`.
 *
 * @remarks Stubs are put in place once and look at a flag, because replacing the exports of
 * built-in modules costs a millisecond. Several traps may exist at once.
 */
export function installTrap(): SimTrap {
  if (installed === 0) replaceAll();
  installed++;
  let isRemoved = false;
  return {
    enter: () => {
      isInside = true;
    },
    leave: () => {
      isInside = false;
    },
    remove: () => {
      if (isRemoved) return;
      isRemoved = true;
      isInside = false;
      installed--;
      if (installed === 0) restoreAll();
    },
  };
}

/** Runs something of the simulator itself, such as a checker, outside of the trap. */
export function outsideTrap<Result>(task: () => Result): Result {
  const wasInside = isInside;
  isInside = false;
  try {
    return task();
  } finally {
    isInside = wasInside;
  }
}

function replaceAll(): void {
  const globals = globalThis as unknown as Place;
  const timerNames = ['setTimeout', 'setInterval', 'setImmediate'];
  replaceFunctions(globals, '', [...timerNames, 'fetch']);
  replaceFunctions(timers as unknown as Place, 'timers.', timerNames);
  replaceFunctions(timersPromises as unknown as Place, 'timers/promises.', timerNames);
  const { scheduler } = timersPromises;
  replaceFunctions(scheduler as unknown as Place, 'timers/promises.scheduler.', ['wait', 'yield']);
  replaceFunctions(Math as unknown as Place, 'Math.', ['random']);
  replaceFunctions(performance as unknown as Place, 'performance.', ['now']);
  replaceFunctions(AbortSignal as unknown as Place, 'AbortSignal.', ['timeout']);
  replaceFunctions(process as unknown as Place, 'process.', [
    'hrtime',
    'uptime',
    'memoryUsage',
    'nextTick',
  ]);
  const randomNames = ['randomUUID', 'getRandomValues'];
  replaceFunctions(globalThis.crypto as unknown as Place, 'crypto.', randomNames);
  replaceFunctions(crypto as unknown as Place, 'crypto.', [
    ...randomNames,
    ...['randomBytes', 'randomInt', 'randomFill', 'randomFillSync'],
    ...['scrypt', 'pbkdf2', 'hkdf', 'generateKey', 'generateKeyPair', 'generateKeyPairSync'],
  ]);
  // What runs in the thread pool ends in an order that no seed decides.
  replaceFunctions(crypto.webcrypto.subtle as unknown as Place, 'crypto.subtle.', [
    ...['digest', 'sign', 'verify', 'encrypt', 'decrypt', 'importKey', 'exportKey'],
    ...['generateKey', 'deriveKey', 'deriveBits'],
  ]);
  replaceFunctions(zlib as unknown as Place, 'zlib.', [
    ...['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip'],
    ...['brotliCompress', 'brotliDecompress', 'zstdCompress', 'zstdDecompress'],
  ]);
  replaceFunctions(net as unknown as Place, 'net.', [
    'connect',
    'createConnection',
    'createServer',
  ]);
  replaceFunctions(fs as unknown as Place, 'fs.', functionNames(fs));
  replaceFunctions(fsPromises as unknown as Place, 'fs/promises.', functionNames(fsPromises));
  replaceConstructors(globals);
  syncBuiltinESMExports();
}

function restoreAll(): void {
  for (const undo of restore.reverse()) undo();
  restore = [];
  syncBuiltinESMExports();
}

function functionNames(module: object): string[] {
  return Object.entries(module)
    .filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name))
    .map(([name]) => name);
}

function replaceFunctions(place: Place, prefix: string, names: readonly string[]): void {
  for (const name of names) {
    const original = place[name];
    // What this version of Node does not have cannot be called either.
    if (typeof original !== 'function') continue;
    const stub = function (this: unknown, ...values: unknown[]): unknown {
      if (isInside && !isCalledByNode()) throw caught(`${prefix}${name}`);
      return Reflect.apply(original as Callable, this, values as never[]);
    };
    // Some functions carry others: `hrtime.bigint`, `memoryUsage.rss`, the promisified forms.
    const carried = Object.getOwnPropertyDescriptors(original);
    for (const key of ['length', 'name', 'prototype']) delete carried[key as keyof typeof carried];
    Object.defineProperties(stub, carried);
    replace(place, name, stub);
    if (name === 'hrtime' || name === 'memoryUsage') {
      replaceFunctions(stub as unknown as Place, `${prefix}${name}.`, ['bigint', 'rss']);
    }
  }
}

/**
 * Whether the stub that asks was called by Node itself, which keeps its own house: the streams
 * below the console, for example, write files and queue ticks. What simulated code called is one
 * frame up.
 */
function isCalledByNode(): boolean {
  return /^ +at (.*\()?node:/.test(callerOfStub());
}

/**
 * Whether the stub that asks was called by croner. It reads the clock at each look-up, and uses
 * what it read only where no time was given to it; the schedule of a timer always gives one.
 */
function isCalledByCroner(): boolean {
  return /\/node_modules\/croner\//.test(callerOfStub());
}

/** The place that called the stub, as a line of a stack: below this, its asker, and the stub. */
function callerOfStub(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 4;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack?.split('\n')[4] ?? '';
}

function replaceConstructors(globals: Place): void {
  const RealDate = Date;
  replaceFunctions(RealDate as unknown as Place, 'Date.', ['now']);
  const stub = new Proxy(RealDate, {
    // A date made of a value is a value; only one made of nothing reads the clock.
    construct(target, values: unknown[], newTarget) {
      if (isInside && values.length === 0 && !isCalledByCroner()) throw caught('new Date()');
      return Reflect.construct(target, values, newTarget) as object;
    },
    apply(target) {
      if (isInside) throw caught('Date()');
      return target();
    },
  });
  replace(globals, 'Date', stub);
  // When memory is reclaimed is no business of a deterministic program.
  for (const name of ['WeakRef', 'FinalizationRegistry']) {
    const stubbed = new Proxy(globals[name] as new () => object, {
      construct(target, values: unknown[], newTarget) {
        if (isInside) throw caught(`new ${name}()`);
        return Reflect.construct(target, values, newTarget) as object;
      },
    });
    replace(globals, name, stubbed);
  }
}

function replace(place: Place, name: string, stub: unknown): void {
  const before = Object.getOwnPropertyDescriptor(place, name);
  if (before !== undefined && before.configurable !== true && before.writable !== true) return;
  if (before?.configurable === false) {
    place[name] = stub;
    restore.push(() => {
      place[name] = before.value;
    });
    return;
  }
  const isEnumerable = before?.enumerable ?? false;
  Object.defineProperty(place, name, {
    value: stub,
    writable: true,
    configurable: true,
    enumerable: isEnumerable,
  });
  restore.push(() => {
    if (before === undefined) delete place[name];
    else Object.defineProperty(place, name, before);
  });
}

function caught(what: string): TroupeError {
  return new TroupeError('INVARIANT_BROKEN', {
    detail: `simulated code called ${what}; use the ports (ctx.now, ctx.random, timers) instead`,
  });
}
