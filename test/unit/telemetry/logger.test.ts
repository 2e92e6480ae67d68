/** A log line stays one line of bounded JSON, whatever it is given, and never throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import {
  createJsonLogger,
  type JsonLoggerOptions,
  type Logger,
  silentLogger,
  withFields,
} from '../../../src/telemetry/logger.ts';

describe('createJsonLogger', () => {
  it('writes time, level, message and data as one line of JSON', () => {
    const { lines, logger } = open();
    logger.info('audited', { total: 3, by: null });
    const head = '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"audited"';
    expect(lines).toEqual([`${head},"data":{"total":3,"by":null}}`]);
  });

  it('leaves out what lies below its level', () => {
    const { lines, logger } = open({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](level);
    expect(lines.map(line => JSON.parse(line).level)).toEqual(['warn', 'error']);
  });

  it('leaves out debug lines by default', () => {
    const { lines, logger } = open();
    logger.debug('detail');
    expect(lines).toEqual([]);
  });

  it('escapes whatever a terminal or a reader of lines would act on', () => {
    const { lines, logger } = open();
    const nasty = 'a\n\r\u001b[2J\u007f\u009b\u2028\u2029\u202e\u2066\ufeff\ud800z';
    logger.info(nasty, { [nasty]: nasty });
    const [line = ''] = lines;
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    // Half a surrogate pair is escaped too; all else comes back as it was.
    expect(JSON.parse(line).message).toBe(nasty);
  });

  it('shows errors with what they say', () => {
    const { lines, logger } = open();
    const error = new TroupeError('DISK_FULL', { detail: 'segment 3', cause: new Error('ENOSPC') });
    logger.error('failed', { error, other: new RangeError('no') });
    const { data } = JSON.parse(lines[0] ?? '');
    expect(data.error).toEqual({
      code: 'DISK_FULL',
      outcome: 'not-executed',
      detail: 'segment 3',
      cause: 'ENOSPC',
    });
    expect(data.other).toMatchObject({ name: 'RangeError', message: 'no' });
    expect(data.other.stack).toContain('logger.test');
  });

  it('shows an error that is the data itself', () => {
    const { lines, logger } = open();
    logger.error('failed', new RangeError('no'));
    expect(JSON.parse(lines[0] ?? '').data).toMatchObject({ name: 'RangeError', message: 'no' });
  });

  it('shows dates, maps, sets, bytes and what has no JSON', () => {
    const { lines, logger } = open();
    logger.info('kinds', {
      date: new Date(0),
      broken: new Date(Number.NaN),
      map: new Map([['a', 1]]),
      set: new Set([1, 2]),
      bytes: new Uint8Array(3),
      big: 10n,
      missing: undefined,
      symbol: Symbol('s'),
      call: () => 1,
    });
    expect(JSON.parse(lines[0] ?? '').data).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      broken: 'NaN',
      map: { a: 1 },
      set: [1, 2],
      bytes: '[3 bytes]',
      big: '10',
      missing: 'undefined',
      symbol: 'Symbol(s)',
      call: '[function]',
    });
  });

  it('survives cycles, getters that throw, and proxies', () => {
    const { lines, logger } = open();
    const cycle: Record<string, unknown> = { name: 'cycle' };
    cycle.self = cycle;
    const trap = {
      get value(): never {
        throw new Error('trap');
      },
    };
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('proxy');
        },
      },
    );
    logger.info('odd', { cycle, trap, hostile });
    expect(lines[0]).toContain('unreadable: trap');
    expect(lines[0]).toContain('unreadable: proxy');
    expect(lines[0]).toContain('"name":"cycle"');
  });

  it('bounds wide, deep and long data before it costs anything', () => {
    const { lines, logger } = open();
    const wide: unknown[] = Array.from({ length: 1_000 }, (_, index) => index);
    let tree: unknown = 'leaf';
    for (let depth = 0; depth < 40; depth++) tree = [tree, tree];
    logger.info('wide', { wide, holes: new Array(2 ** 31), tree, text: 'x'.repeat(100_000) });
    const { data } = JSON.parse(lines[0] ?? '');
    expect(data.wide.at(-1)).toBe('… 950 more');
    expect(lines[0]?.length).toBeLessThanOrEqual(8_192);
  });

  it('looks at no more of the data than it can show', () => {
    const { lines, logger } = open();
    let looks = 0;
    let data: object = Object.defineProperty([], 0, { get: () => looks++ });
    for (let depth = 0; depth < 4; depth++) data = Array(50).fill(data);
    logger.info('many', data);
    expect(looks).toBeLessThan(8_192);
    expect(lines[0]?.length).toBeLessThanOrEqual(8_192);
  });

  it('stays within its length when every character must be escaped', () => {
    const { lines, logger } = open({ lineLengthMax: 512 });
    for (const nasty of ['\u0001', '"', '\u2028']) {
      logger.info(nasty.repeat(5_000), { [nasty.repeat(500)]: nasty.repeat(5_000) });
    }
    expect(lines.map(line => line.length <= 512 && JSON.parse(line).isCut)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('says of what it cut, and how much is missing', () => {
    const { lines, logger } = open({ lineLengthMax: 1_000 });
    logger.info('m'.repeat(5_000), { text: 't'.repeat(5_000) });
    const { message, data } = JSON.parse(lines[0] ?? '');
    expect(message).toMatch(/^m+… 4750 more$/);
    expect(data.text).toMatch(/^t+… \d+ more$/);
  });

  it('shows the beginning of data as text when even its bounded form is too long', () => {
    const { lines, logger } = open({ lineLengthMax: 1_000 });
    logger.info('long', { text: '\u0001'.repeat(5_000) });
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({ message: 'long', isCut: true });
    expect(line.data).toMatch(/^\{"text":"\\u0001.*… \d+ more$/);
  });

  it('writes one line of JSON within its length for any message and data', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3_000 });
    fc.assert(
      fc.property(
        text,
        fc.object({ withBigInt: true, withDate: true, withMap: true, maxDepth: 2 }),
        (message, data) => {
          const { lines, logger } = open({ lineLengthMax: 512 });
          logger.warn(message, { data, message });
          expect(lines).toHaveLength(1);
          expect(lines[0]?.length).toBeLessThanOrEqual(512);
          expect(lines[0]).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          expect(JSON.parse(lines[0] ?? '').level).toBe('warn');
        },
      ),
    );
  });
});

describe('withFields', () => {
  it('adds fields to each line; the line wins', () => {
    const { lines, logger } = open();
    const named = withFields(logger, { address: 'account/alice', attempt: 1 });
    named.info('one');
    named.warn('two', { attempt: 2 });
    expect(lines.map(line => JSON.parse(line).data)).toEqual([
      { address: 'account/alice', attempt: 1 },
      { address: 'account/alice', attempt: 2 },
    ]);
  });

  it('keeps an error apart from the fields', () => {
    const { lines, logger } = open();
    withFields(logger, { address: 'account/alice' }).error('failed', new Error('no'));
    expect(JSON.parse(lines[0] ?? '').data).toMatchObject({
      address: 'account/alice',
      error: { message: 'no' },
    });
  });

  it('survives data that cannot be read', () => {
    const { lines, logger } = open();
    const trap = {
      get value(): never {
        throw new Error('trap');
      },
    };
    withFields(logger, { address: 'a/b' }).info('odd', trap);
    expect(JSON.parse(lines[0] ?? '').data).toEqual({ address: 'a/b', unreadable: 'trap' });
  });
});

describe('silentLogger', () => {
  it('says nothing', () => {
    expect(() => silentLogger.error('lost', { a: 1 })).not.toThrow();
  });
});

function open(options: Partial<JsonLoggerOptions> = {}): { lines: string[]; logger: Logger } {
  const lines: string[] = [];
  const now = (): number => Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  const logger = createJsonLogger({ write: line => lines.push(line), now, ...options });
  return { lines, logger };
}
