/** The sweep over versions: what it accepts, and each way in which a history can be wrong. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVersions } from '../../../src/testing/check-versions.ts';
import type { Operation } from '../../../src/testing/history.ts';
import { operation } from '../../helpers/operation.ts';

const messages = (...operations: Operation[]) =>
  checkVersions(operations).map(each => each.message);
const read = { kind: 'read' } as const;

describe('checkVersions', () => {
  it('accepts answers in the order of real time', () => {
    expect(
      messages(
        operation({ at: [0, 1], version: 1 }),
        operation({ at: [2, 3], version: 1, ...read }),
        operation({ at: [4, 9], version: 3 }),
        operation({ at: [5, 8], version: 2 }),
        operation({ at: [6, 7], version: 2, ...read }),
        operation({ at: [10, 11], version: 0, agent: 'agent/b', ...read }),
      ),
    ).toEqual([]);
  });

  it('refutes a write that does not come after what had been answered', () => {
    for (const version of [1, 2]) {
      const late = operation({ at: [2, 3], version, id: 7 });
      const [first] = messages(operation({ at: [0, 1], version: 2, ...read }), late);
      expect(first).toMatch(/^agent\/a: #7 .* began after .* had been answered$/);
    }
  });

  it('refutes a stale read', () => {
    const stale = operation({ at: [2, 3], version: 1, ...read });
    expect(messages(operation({ at: [0, 1], version: 2 }), stale)).toHaveLength(1);
    const concurrent = operation({ at: [0, 3], version: 1, ...read });
    expect(messages(operation({ at: [1, 2], version: 2 }), concurrent)).toEqual([]);
  });

  it('refutes two commands at one version', () => {
    expect(
      messages(operation({ at: [0, 3], version: 1 }), operation({ at: [1, 2], version: 1 })),
    ).toEqual([expect.stringContaining('have one version')]);
  });

  it('counts a command from its first attempt, whoever was answered', () => {
    const first = operation({ at: [0, 1], command: 'c', status: 'info' });
    const between = operation({ at: [2, 3], version: 6 });
    const retry = operation({ at: [4, 5], command: 'c', version: 5 });
    const again = operation({ at: [6, 7], command: 'c', version: 5 });
    expect(messages(first, between, retry, again)).toEqual([]);
    expect(messages(between, retry)).toHaveLength(1);
  });

  it('refutes a read of something that had not begun', () => {
    const early = operation({ at: [0, 1], version: 4, ...read });
    expect(messages(early, operation({ at: [2, 3], version: 4 }))).toEqual([
      expect.stringContaining('began after'),
      expect.stringContaining('before it began'),
    ]);
    expect(messages(early, operation({ at: [2, 3], version: 5 }))).toEqual([]);
  });

  it('refutes an epoch that falls as versions rise', () => {
    const old = operation({ at: [2, 3], version: 2, epoch: 1 });
    expect(messages(operation({ at: [0, 1], version: 1, epoch: 2 }), old)).toEqual([
      expect.stringContaining('older epoch'),
    ]);
    const reread = operation({ at: [2, 3], version: 1, epoch: 3, ...read });
    const next = operation({ at: [4, 5], version: 2, epoch: 3 });
    expect(messages(operation({ at: [0, 1], version: 1, epoch: 1 }), reread, next)).toEqual([]);
  });

  it('refutes versions that no answer can have', () => {
    const message = expect.stringContaining('no such answer can have');
    expect(messages(operation({ at: [0, 1], version: 0 }))).toEqual([message]);
    expect(messages(operation({ at: [0, 1], version: -1, ...read }))).toEqual([message]);
  });

  it('judges nothing by operations that were not answered', () => {
    expect(
      messages(
        operation({ at: [0, 1], status: 'fail' }),
        operation({ at: [0, 2], status: 'info' }),
        operation({ at: [0] }),
        operation({ at: [3, 4], version: 1 }),
      ),
    ).toEqual([]);
  });

  it('accepts every history of a real register and refutes it once two answers are swapped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ before: fc.nat(5), after: fc.nat(5), isWrite: fc.boolean() }), {
          minLength: 2,
          maxLength: 60,
        }),
        steps => {
          // Each takes effect at 100 times its place, somewhere between its start and its end.
          let version = 0;
          const history = steps.map(({ before, after, isWrite }, place) => {
            if (isWrite) version++;
            const point = (place + 1) * 100;
            const at = [
              point - before * 40 + place / 1e3,
              point + 1 + after * 40 + place / 1e3,
            ] as const;
            return operation({ at, version, kind: isWrite ? 'write' : 'read' });
          });
          expect(checkVersions(history)).toEqual([]);
          const apart = history.find(
            each => each.kind === 'write' && each.startOrder > (history[0]?.endOrder ?? 0),
          );
          if (apart?.stamp === undefined) return;
          const lied = { ...apart, stamp: { epoch: 1, version: 0 } };
          const last = operation({ at: [-9, -8], version: 1 });
          const wrong = history.map(each => (each === apart ? lied : each));
          expect(checkVersions([last, ...wrong]).length).toBeGreaterThan(0);
        },
      ),
    );
  });
});
