/**
 * Final logs: chains, dense versions, epochs, acknowledged writes, and replies before durability.
 */
import { describe, expect, it } from 'vitest';
import {
  checkAcknowledged,
  checkChains,
  checkDurableFirst,
  checkLogs,
  type FinalRecord,
} from '../../../src/testing/check-log.ts';
import type { Violation } from '../../../src/testing/history.ts';
import { operation } from '../../helpers/operation.ts';

const messages = (violations: Violation[]) => violations.map(each => each.message);

function record(version: number, parts: Partial<FinalRecord> = {}): FinalRecord {
  const previous = version === 1 ? '' : `h${version - 1}`;
  return { agent: 'agent/a', version, epoch: 1, hash: `h${version}`, previous, ...parts };
}

describe('checkChains', () => {
  it('accepts chains of several agents, from wherever they were trimmed', () => {
    const other = record(9, { agent: 'agent/b' });
    expect(checkChains([record(4), other, record(5), record(6)])).toEqual([]);
  });

  it('refutes a record that was left out, exchanged or added', () => {
    expect(messages(checkChains([record(1), record(3)]))).toEqual([
      'agent/a: version 3 says its predecessor is h2, which is h1',
    ]);
    expect(checkChains([record(1), record(2, { hash: 'other' }), record(3)])).toHaveLength(1);
    expect(checkChains([record(1), record(2), record(0), record(3)])).toHaveLength(2);
  });
});

describe('checkLogs', () => {
  it('accepts dense versions, rising epochs and records without a version', () => {
    const snapshot = record(0, { epoch: 9 });
    const next = record(3, { epoch: 2, writer: 'b#1' });
    expect(checkLogs([record(1), record(2, { writer: 'a#1' }), snapshot, next])).toEqual([]);
  });

  it('refutes gaps, repeats, falling epochs and two writers in one epoch', () => {
    expect(messages(checkLogs([record(1), record(3)]))).toEqual(['agent/a: version 3 follows 1']);
    expect(checkLogs([record(1), record(1)])).toHaveLength(1);
    expect(checkLogs([record(1, { epoch: 2 }), record(2)])).toHaveLength(1);
    const writers = [record(1, { writer: 'a#1' }), record(2, { writer: 'b#1' })];
    expect(messages(checkLogs(writers))).toEqual([
      'agent/a: epoch 1 was written by a#1 and by b#1',
    ]);
  });
});

describe('checkAcknowledged', () => {
  const write = operation({ at: [0, 1], version: 2, command: 'c', id: 5 });

  it('accepts what the log holds, and whatever was not acknowledged', () => {
    const operations = [
      write,
      operation({ at: [0, 1], version: 9, kind: 'read' }),
      operation({ at: [0, 1], status: 'info' }),
      operation({ at: [0, 1], status: 'fail' }),
    ];
    expect(checkAcknowledged({ operations, records: [record(2, { command: 'c' })] })).toEqual([]);
    expect(checkAcknowledged({ operations, records: [record(2)] })).toEqual([]);
  });

  it('refutes a loss at the end, in the middle, and another command in its place', () => {
    const lost = checkAcknowledged({ operations: [write], records: [record(1), record(3)] });
    expect(messages(lost)).toEqual([expect.stringMatching(/#5 .* the log holds nothing/)]);
    const foreign = [record(2, { command: 'd' })];
    expect(checkAcknowledged({ operations: [write], records: foreign })).toHaveLength(1);
    const elsewhere = [record(2, { agent: 'agent/b', command: 'c' })];
    expect(checkAcknowledged({ operations: [write], records: elsewhere })).toHaveLength(1);
  });

  it('forgives only what was trimmed by right', () => {
    const history = { operations: [write], records: [] };
    expect(checkAcknowledged({ ...history, keptFrom: new Map([['agent/a', 3]]) })).toEqual([]);
    expect(checkAcknowledged({ ...history, keptFrom: new Map([['agent/a', 2]]) })).toHaveLength(1);
  });
});

describe('checkDurableFirst', () => {
  const durable = [{ agent: 'agent/a', version: 1, order: 5 }];

  it('accepts an answer after its version was durable, and answers of the initial state', () => {
    const operations = [
      operation({ at: [0, 6], version: 1 }),
      operation({ at: [0, 1], version: 0, kind: 'read' }),
      operation({ at: [0, 1], status: 'info' }),
    ];
    expect(checkDurableFirst({ operations, durable })).toEqual([]);
  });

  it('refutes an answer before, also of a read, and of what never became durable', () => {
    for (const kind of ['write', 'read'] as const) {
      const early = operation({ at: [0, 4], version: 1, kind });
      expect(checkDurableFirst({ operations: [early], durable })).toHaveLength(1);
    }
    const never = operation({ at: [0, 9], version: 2 });
    expect(messages(checkDurableFirst({ operations: [never], durable }))).toEqual([
      expect.stringContaining('before its version was durable'),
    ]);
  });
});
