/**
 * A new lineage begins its numbers anew, and leaves what was promised under the old one as it is.
 */
import { expect, it } from 'vitest';
import type { OutboxEntry } from '../../../src/state/entries.ts';
import { emptyChain } from '../../../src/state/hash.ts';
import { applyRecord, emptyImage } from '../../../src/state/image.ts';
import type { Op, TurnRecord } from '../../../src/state/record.ts';

const retention = { dedupWindowMs: 1_000, resultWindowMs: 1_000 };

function promised(id: string, number: number): OutboxEntry {
  const target = { type: 'target', key: 'one', action: 'hear', input: id } as const;
  return { id, ...target, priority: 'normal', number, at: 0, correlationId: id };
}

function recordOf(ops: readonly Op[]): TurnRecord {
  const previous = emptyChain;
  return {
    id: '1',
    previous,
    epoch: 1,
    version: 1,
    at: 0,
    stateVersion: 1,
    origin: undefined,
    ops,
  };
}

it('keeps lineage and number of each promise, however often a lineage begins', () => {
  const image = emptyImage('', 1, 1);
  const fold = (...ops: Op[]) => applyRecord(image, recordOf(ops), retention);
  fold(['lineage', 'A'], ['send', promised('a1', 1)], ['send', promised('a2', 2)]);
  fold(['sent', ['a1']]);
  expect(image.lineage).toBe('A');
  expect([...(image.numbers?.values() ?? [])]).toEqual([2]);

  fold(['lineage', 'B']);
  expect(image.numbers).toBeUndefined();
  fold(['send', promised('b1', 1)]);
  fold(['lineage', 'B.1'], ['send', promised('c1', 1)]);

  expect(image.lineage).toBe('B.1');
  const kept = [...(image.outbox?.values() ?? [])];
  expect(kept.map(({ id, number, lineage }) => [id, number, lineage])).toEqual([
    ['a2', 2, 'A'],
    ['b1', 1, 'B'],
    ['c1', 1, undefined],
  ]);
});
