/** Subjects and patterns of NATS. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, isSubject, matches, overlaps } from '../../../src/testing/sim-nats-subjects.ts';

const word = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(word, { minLength: 1, maxLength: 4 }).map(words => words.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(word, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([words, isOpen]) => [...words, ...(isOpen ? ['>'] : [])].join('.'));

/** The same as a regular expression, which is slow and plain. */
function asExpression(text: string): RegExp {
  const parts = text.split('.').map(each => (each === '*' ? '[^.]+' : each === '>' ? '.+' : each));
  return new RegExp(`^${parts.join('\\.')}$`);
}

describe('a pattern', () => {
  it('stands for the subjects that the servers say', () => {
    expect(matches('a.*.c', 'a.b.c')).toBe(true);
    expect(matches('a.*', 'a.b.c')).toBe(false);
    expect(matches('a.>', 'a')).toBe(false);
    expect(matches('a.>', 'a.b.c')).toBe(true);
    expect(matches('>', 'a')).toBe(true);
  });

  it('stands for the same as its regular expression', () => {
    fc.assert(
      fc.property(pattern, subject, (wanted, found) => {
        expect(matches(wanted, found)).toBe(asExpression(wanted).test(found));
      }),
    );
  });

  it('overlaps another one when there is a subject of both', () => {
    fc.assert(
      fc.property(pattern, pattern, subject, (left, right, found) => {
        if (matches(left, found) && matches(right, found)) expect(overlaps(left, right)).toBe(true);
        expect(overlaps(left, right)).toBe(overlaps(right, left));
      }),
    );
    expect(overlaps('a.*', 'b.*')).toBe(false);
    expect(overlaps('a', 'a.b')).toBe(false);
    expect(overlaps('a.>', 'a.b.c')).toBe(true);
  });

  it('is told from a subject', () => {
    expect(isPattern('a.b')).toBe(false);
    expect(isPattern('a.*')).toBe(true);
    expect(isPattern('a.>')).toBe(true);
  });
});

describe('a subject', () => {
  it.each(['', 'a..b', '.a', 'a.', 'a b', 'a\n', 'a.\0', 'a.*', 'a.>'])('is not %j', text => {
    expect(isSubject(text)).toBe(false);
  });

  it('may hold wildcards for a listener, the open one at the end only', () => {
    expect(isSubject('a.*.>', true)).toBe(true);
    expect(isSubject('a.>.b', true)).toBe(false);
    expect(isSubject('a', true)).toBe(true);
  });
});
