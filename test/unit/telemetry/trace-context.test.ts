/** The `traceparent` header, read as strictly as its recommendation says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../../src/telemetry/trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('parseTraceparent', () => {
  it('reads ids and the sampled flag', () => {
    expect(parseTraceparent(`00-${traceId}-${spanId}-01`)).toEqual({
      traceId,
      spanId,
      isSampled: true,
    });
    expect(parseTraceparent(`00-${traceId}-${spanId}-00`)?.isSampled).toBe(false);
    // Other flags are somebody else's.
    expect(parseTraceparent(`00-${traceId}-${spanId}-fe`)?.isSampled).toBe(false);
  });

  it('reads what it knows of a later version', () => {
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01`)?.traceId).toBe(traceId);
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)?.spanId).toBe(spanId);
  });

  it.each([
    ['is empty', ''],
    ['has upper-case digits', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['has the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['has more than version 00 allows', `00-${traceId}-${spanId}-01-more`],
    ['has a later version without a separator', `cc-${traceId}-${spanId}-01more`],
    ['has a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['has a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['has a short trace id', `00-${traceId.slice(1)}-${spanId}-01`],
    ['lacks flags', `00-${traceId}-${spanId}`],
    ['holds a second line', `00-${traceId}-${spanId}-01\nx: y`],
  ])('ignores a header that %s', (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('ignores anything else without a throw', () => {
    fc.assert(
      fc.property(fc.string(), header => {
        expect(parseTraceparent(header)).toBeUndefined();
      }),
    );
  });

  it('reads back what was written', () => {
    const digits = (count: number) =>
      fc
        .string({
          unit: fc.constantFrom(...'0123456789abcdef'),
          minLength: count,
          maxLength: count,
        })
        .filter(text => !/^0+$/.test(text));
    const context = fc.record({
      traceId: digits(32),
      spanId: digits(16),
      isSampled: fc.boolean(),
    });
    fc.assert(
      fc.property(context, trace => {
        expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
      }),
    );
  });
});
