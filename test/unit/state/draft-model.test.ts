/** Random programs on a draft and on a plain copy: both must end up with the same value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyValue } from '../../../src/core/values.ts';
import { openDraft } from '../../../src/state/draft.ts';
import { applyPatch, diff } from '../../../src/state/patch.ts';
import { plainRecords } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

type Step = readonly [act: number, walk: readonly number[], a: number, b: number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.nat(20), fc.array(fc.nat(9), { maxLength: 3 }), fc.nat(9), fc.nat(9)),
  { minLength: 1, maxLength: 12 },
);

function partsOf(value: object): object[] {
  const parts = value instanceof Map ? [...value.values()] : Object.values(value);
  return parts.filter(part => typeof part === 'object' && part !== null);
}

/** Follows the numbers down to some part. */
function follow(root: object, walk: readonly number[]): object {
  let at = root;
  for (const number of walk) {
    const parts = at instanceof Uint8Array ? [] : partsOf(at);
    const next = parts[number % Math.max(parts.length, 1)];
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

const arrayActs: ((items: unknown[], a: number, b: number) => unknown)[] = [
  (items, a) => items.push(a, { pushed: a }),
  items => items.pop(),
  items => items.shift(),
  (items, a, b) => items.unshift([a], b),
  (items, a, b) => items.splice(a, b % 3, { spliced: b }),
  (items, a) => items.splice(a),
  items => items.reverse(),
  items => items.sort((x, y) => (textOf(x) < textOf(y) ? -1 : 1)),
  (items, a) => items.fill(a, 1, 3),
  (items, a) => {
    if (items.length > 0) items[a % items.length] = { set: a };
  },
  (items, a) => {
    items.length = Math.min(items.length, a);
  },
  (items, a) => {
    // Parts that are swapped, and changed after.
    if (items.length < 2) return;
    const at = a % (items.length - 1);
    [items[at], items[at + 1]] = [items[at + 1], items[at]];
  },
];

function changeRecord(record: Record<string, unknown>, act: number, a: number, b: number): void {
  const keys = Object.keys(record);
  const key = keys[a % Math.max(keys.length, 1)] ?? 'first';
  if (act % 5 === 0) delete record[key];
  else if (act % 5 === 1) record[key] = b;
  else if (act % 5 === 2) record[`key${b}`] = { fresh: b };
  else if (act % 5 === 3) record[key] = undefined;
  else {
    // A part moves to another name.
    const part = record[key];
    delete record[key];
    record[`moved${b}`] = part;
  }
}

function changeMap(map: Map<unknown, unknown>, act: number, a: number, b: number): void {
  const key = [...map.keys()].filter(each => typeof each !== 'object')[a];
  if (act % 4 === 0) map.delete(key);
  else if (act % 4 === 1) map.set(key, b);
  else if (act % 4 === 2) map.set({ key: a }, { value: b });
  else if (b === 0) map.clear();
  else map.set(`key${a}`, [b]);
}

function changeSet(set: Set<unknown>, act: number, a: number, b: number): void {
  const member = [...set].filter(each => typeof each !== 'object')[a];
  if (act % 3 === 0) set.delete(member);
  else if (act % 3 === 1) set.add(b);
  else set.add({ member: b });
}

function perform(root: object, [act, walk, a, b]: Step): void {
  const part = follow(root, walk);
  if (Array.isArray(part)) arrayActs[act % arrayActs.length]?.(part, a, b);
  else if (part instanceof Map) changeMap(part, act, a, b);
  else if (part instanceof Set) changeSet(part, act, a, b);
  else if (part instanceof Date) part.setTime(a * 1_000);
  else if (part instanceof Uint8Array) part[a] = b;
  else changeRecord(part as Record<string, unknown>, act, a, b);
}

/** Of an open draft: collections in it are of classes of their own. */
function textOf(state: unknown): string {
  return fingerprint(state)
    .replaceAll(/Draft(Map|Set)\(/g, '$1(')
    .replaceAll('ViewBytes(', 'Uint8Array(')
    .replaceAll('View', '');
}

describe('a draft', () => {
  it('does what the same program does to plain data, and leaves the base alone', () => {
    fc.assert(
      fc.property(plainRecords, steps, (base, program) => {
        const before = fingerprint(base);
        const plain = copyValue(base, 'base');
        const draft = openDraft(base);
        for (const step of program) {
          perform(plain, step);
          perform(draft.state, step);
          expect(textOf(draft.state)).toBe(fingerprint(plain));
        }
        expect(fingerprint(copyValue(draft.state, 'state'))).toBe(fingerprint(plain));
        const next = draft.close();
        expect(fingerprint(next)).toBe(fingerprint(plain));
        expect(fingerprint(base)).toBe(before);
        if (fingerprint(next) === before) expect(next).toBe(base);
        // What a turn left behind is recorded as a change and repeated after a crash.
        const patch = diff(base, next);
        const repeated = patch === undefined ? base : applyPatch(base, patch);
        expect(fingerprint(repeated)).toBe(
          before === fingerprint(next) ? before : fingerprint(next),
        );
      }),
      { numRuns: 600 },
    );
  });

  it('gives values that hold nothing of a draft', () => {
    fc.assert(
      fc.property(plainRecords, steps, (base, program) => {
        const draft = openDraft(base);
        for (const step of program) perform(draft.state, step);
        const next = draft.close();
        // A proxy of the closed draft would throw here, and a stand-in would be refused there.
        expect(fingerprint(structuredClone(next))).toBe(fingerprint(next));
      }),
    );
  });
});
