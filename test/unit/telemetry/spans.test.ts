/** Ids are unique and well formed, the sample is the promised share, the ring keeps the newest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Span, Tracer } from '../../../src/telemetry/spans.ts';
import { formatTraceparent, parseTraceparent } from '../../../src/telemetry/trace-context.ts';

const seed = '0123456789abcdeffedcba9876543210';

describe('Tracer', () => {
  it('gives out ids that a traceparent can carry, whatever the seed', () => {
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789abcdef'),
      minLength: 32,
      maxLength: 32,
    });
    fc.assert(
      fc.property(fc.oneof(digits, fc.constant('0'.repeat(32))), given => {
        const context = new Tracer({ seed: given }).context();
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      }),
    );
  });

  it('gives out each id once', () => {
    const tracer = new Tracer({ seed });
    const contexts = Array.from({ length: 20_000 }, () => tracer.context());
    expect(new Set(contexts.map(({ traceId }) => traceId)).size).toBe(20_000);
    expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(20_000);
  });

  it('gives other ids to another seed, and the same ones to the same', () => {
    const ids = (given: string): string[] => {
      const tracer = new Tracer({ seed: given });
      return Array.from({ length: 100 }, () => tracer.context().traceId);
    };
    expect(ids(seed)).toEqual(ids(seed));
    const others = new Set(ids('1'.repeat(32)));
    expect(ids(seed).filter(id => others.has(id))).toEqual([]);
  });

  it('stays in the trace of the parent, and keeps its decision', () => {
    const tracer = new Tracer({ seed, sampleShare: 0 });
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true };
    const child = tracer.context(parent);
    expect(child).toMatchObject({ traceId: parent.traceId, isSampled: true });
    expect(child.spanId).not.toBe(parent.spanId);
  });

  it.each([0, 0.01, 0.25, 1])('samples a share of %d of the traces', share => {
    const tracer = new Tracer({ seed, sampleShare: share });
    let sampled = 0;
    for (let count = 0; count < 100_000; count++) if (tracer.context().isSampled) sampled++;
    // Four standard deviations of a fair draw.
    const slack = 4 * Math.sqrt(share * (1 - share) * 100_000);
    expect(Math.abs(sampled - share * 100_000)).toBeLessThanOrEqual(slack);
  });

  it('decides by the id alone, so that every node decides alike', () => {
    const here = new Tracer({ seed, sampleShare: 0.3 });
    const there = new Tracer({ seed: '9'.repeat(32), sampleShare: 0.3 });
    for (let count = 0; count < 1_000; count++) {
      const { traceId, isSampled } = here.context();
      expect(there.isSampled(traceId)).toBe(isSampled);
    }
  });

  it('samples one trace in a hundred when not told otherwise', () => {
    const tracer = new Tracer({ seed });
    const sampled = Array.from({ length: 10_000 }, () => tracer.context()).filter(
      ({ isSampled }) => isSampled,
    );
    expect(sampled.length).toBeGreaterThan(50);
    expect(sampled.length).toBeLessThan(150);
  });

  it('gives a context to exactly the sampled ones, and to whatever lies below a parent', () => {
    const [all, some] = [new Tracer({ seed }), new Tracer({ seed })];
    const expected = Array.from({ length: 10_000 }, () => all.context()).filter(
      ({ isSampled }) => isSampled,
    );
    const given = Array.from({ length: 10_000 }, () => some.contextIfSampled());
    expect(given.flatMap(context => context?.traceId ?? [])).toEqual(
      expected.map(({ traceId }) => traceId),
    );
    const parent = { traceId: 'f'.repeat(32), spanId: '1'.repeat(16), isSampled: false };
    expect(some.contextIfSampled(parent)).toMatchObject({ traceId: parent.traceId });
  });

  it('refuses a seed that is too short', () => {
    expect(() => new Tracer({ seed: 'abc' })).toThrow('INVARIANT_BROKEN');
  });

  it('keeps the newest spans, newest first, however many there were', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (count, most) => {
          const tracer = new Tracer({ seed, spansMax: most });
          for (let index = 0; index < count; index++) tracer.record(spanAt(index));
          const kept = tracer.spans().map(({ startedAt }) => startedAt);
          const all = Array.from({ length: count }, (_, index) => index);
          expect(kept).toEqual(all.reverse().slice(0, most));
        },
      ),
    );
  });

  it('keeps none when told so', () => {
    const tracer = new Tracer({ seed, spansMax: 0 });
    tracer.record(spanAt(1));
    expect(tracer.spans()).toEqual([]);
  });

  it('finds the spans of one trace, and no more than asked for', () => {
    const tracer = new Tracer({ seed });
    for (let index = 0; index < 10; index++) tracer.record(spanAt(index));
    const found = tracer.spans({ traceId: 'odd', limit: 2 }).map(({ startedAt }) => startedAt);
    expect(found).toEqual([9, 7]);
  });
});

function spanAt(index: number): Span {
  return {
    traceId: index % 2 === 1 ? 'odd' : 'even',
    spanId: `${index}`,
    parentSpanId: undefined,
    name: 'turn account.move',
    startedAt: index,
    durationMs: 1,
  };
}
