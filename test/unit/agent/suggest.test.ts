/** Which name was probably meant. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestName, suggestionFor } from '../../../src/agent/suggest.ts';

const known = ['move', 'audit', 'balance', 'payOut'];

describe('nearestName', () => {
  it.each([
    ['mov', 'move'],
    ['moev', 'move'],
    ['Audit', 'audit'],
    ['payout', 'payOut'],
    ['balnce', 'balance'],
    ['blaance', 'balance'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearestName(name, known)).toBe(meant);
  });

  it.each(['', 'x', 'delete', 'transfer', 'constructor'])('does not guess at "%s"', name => {
    expect(nearestName(name, known)).toBeUndefined();
  });

  it('takes the nearest of several', () => {
    expect(nearestName('mover', ['moves', 'movers', 'mover2', 'mover'])).toBe('mover');
  });

  it('does not compare names that are too long', () => {
    expect(nearestName('a'.repeat(1_000_000), ['a'.repeat(1_000_000)])).toBeUndefined();
    expect(nearestName('mov', ['x'.repeat(1_000_000), 'move'])).toBe('move');
  });

  it('finds every name again after one slip', () => {
    const name = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(name, fc.nat(), fc.stringMatching(/^[0-9]$/), (meant, at, slip) => {
        const place = at % meant.length;
        const written = meant.slice(0, place) + slip + meant.slice(place + 1);
        expect(nearestName(written, ['0'.repeat(20), meant])).toBe(meant);
      }),
    );
  });
});

describe('suggestionFor', () => {
  it('ends a sentence with the name, or adds nothing', () => {
    expect(suggestionFor('mov', known)).toBe('; did you mean "move"?');
    expect(suggestionFor('transfer', known)).toBe('');
  });
});
