/** The other checkers, each with histories that must pass and histories that must be refuted. */
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { checkEnded } from '../../../src/testing/check-ended.ts';
import { checkFold } from '../../../src/testing/check-fold.ts';
import type { FinalRecord } from '../../../src/testing/check-log.ts';
import { checkOnce } from '../../../src/testing/check-once.ts';
import { type Consumption, checkOrder, numberKey } from '../../../src/testing/check-order.ts';
import { checkSteps, type StepEvent } from '../../../src/testing/check-steps.ts';
import { checkTimers } from '../../../src/testing/check-timers.ts';
import { checkRun } from '../../../src/testing/checkers.ts';
import { HistoryRecorder, type Violation } from '../../../src/testing/history.ts';
import { operation } from '../../helpers/operation.ts';

const messages = (violations: Violation[]) => violations.map(each => each.message);

const model = {
  initial: 0,
  apply(state: number, action: string, input: unknown) {
    const next = action === 'add' ? state + Number(input) : state;
    return { state: next, output: next };
  },
};

function add(version: number, amount: number, command = `c${version}`): FinalRecord {
  const hashes = { hash: `h${version}`, previous: version === 1 ? '' : `h${version - 1}` };
  return { agent: 'agent/a', version, epoch: 1, command, action: 'add', input: amount, ...hashes };
}

describe('checkOnce', () => {
  const records = [add(1, 1, 'a'), add(2, 1, 'b')];
  const answer = { version: 1, output: 1, command: 'a' };

  it('accepts one effect and equal answers for each command, and effects without an answer', () => {
    const operations = [
      operation({ at: [0, 1], command: 'a', status: 'info' }),
      operation({ at: [2, 3], ...answer }),
      operation({ at: [4, 5], ...answer }),
      operation({ at: [4, 5], command: 'b', status: 'info' }),
      operation({ at: [4, 5], command: 'never', status: 'fail' }),
      operation({ at: [4, 5], kind: 'read', version: 2, output: 2, command: 'read' }),
    ];
    expect(checkOnce({ operations, records })).toEqual([]);
  });

  it('refutes two effects, no effect, and an effect that was denied', () => {
    expect(messages(checkOnce({ operations: [], records: [...records, add(3, 1, 'a')] }))).toEqual([
      'agent/a [a] took effect 2 times',
    ]);
    const lost = operation({ at: [0, 1], version: 3, command: 'lost' });
    expect(messages(checkOnce({ operations: [lost], records }))).toEqual([
      'agent/a [lost] was answered, but took no effect',
    ]);
    const denied = operation({ at: [0, 1], command: 'a', status: 'fail' });
    expect(messages(checkOnce({ operations: [denied], records }))).toEqual([
      'agent/a [a] took effect, though every attempt said that it did not',
    ]);
  });

  it('refutes answers of one command that differ', () => {
    const first = operation({ at: [0, 1], ...answer });
    for (const other of [{ output: 2 }, { version: 2 }]) {
      const operations = [first, operation({ at: [2, 3], ...answer, ...other })];
      expect(messages(checkOnce({ operations, records }))).toEqual([
        expect.stringContaining('differs from'),
      ]);
    }
  });

  it('tells equal keys of different agents apart', () => {
    const other = { ...add(1, 1, 'a'), agent: 'agent/b' };
    expect(checkOnce({ operations: [], records: [...records, other] })).toEqual([]);
  });
});

describe('checkFold', () => {
  const records = [add(1, 5), { ...add(2, 0), action: undefined }, add(3, 7)];

  it('accepts what the model answers, before the first record too', () => {
    const operations = [
      operation({ at: [0, 1], kind: 'read', action: 'read', version: 0, output: 0 }),
      operation({ at: [0, 1], version: 1, output: 5 }),
      operation({ at: [0, 1], kind: 'read', action: 'read', version: 2, output: 5 }),
      operation({ at: [0, 1], version: 3, output: 12 }),
      operation({ at: [0, 1], status: 'info', output: 99 }),
    ];
    expect(checkFold({ operations, records, model })).toEqual([]);
  });

  it('refutes a wrong answer of a write and of a read', () => {
    const write = operation({ at: [0, 1], version: 3, output: 11, id: 3 });
    expect(messages(checkFold({ operations: [write], records, model }))).toEqual([
      expect.stringMatching(/#3 .* answered 11, the model 12$/),
    ]);
    const read = operation({ at: [0, 1], kind: 'read', action: 'read', version: 1, output: 0 });
    expect(checkFold({ operations: [read], records, model })).toHaveLength(1);
  });
});

describe('checkOrder', () => {
  const lane = { sender: 's', receiver: 'r', lane: 'normal' };
  const consume = (...numbers: number[]): Consumption[] =>
    numbers.map((number, order) => ({ ...lane, number, order }));

  it('accepts dense numbers from anywhere, per sender, receiver and lane', () => {
    const consumed = [...consume(3, 4, 5), { ...lane, lane: 'high', number: 1, order: 9 }];
    expect(checkOrder({ consumed: consumed.toReversed() })).toEqual([]);
  });

  it('refutes repeats, inversions and gaps', () => {
    expect(messages(checkOrder({ consumed: consume(1, 1) }))).toEqual([
      's r normal: 1 was consumed twice',
    ]);
    expect(messages(checkOrder({ consumed: consume(1, 2, 1) }))).toEqual([
      's r normal: 1 was consumed after 2',
    ]);
    expect(messages(checkOrder({ consumed: consume(1, 3) }))).toEqual([
      's r normal: 3 was consumed though 2 was neither consumed nor abandoned',
    ]);
  });

  it('accepts gaps that were abandoned, or that the guarantee allows', () => {
    const abandoned = new Set([numberKey({ ...lane, number: 2 })]);
    expect(checkOrder({ consumed: consume(1, 3), abandoned })).toEqual([]);
    expect(checkOrder({ consumed: consume(1, 4), abandoned })).toHaveLength(1);
    expect(checkOrder({ consumed: consume(1, 4), isGapAllowed: true })).toEqual([]);
    expect(checkOrder({ consumed: consume(4, 1), isGapAllowed: true })).toHaveLength(1);
  });
});

describe('checkSteps', () => {
  const events = (...words: string[]): StepEvent[] =>
    words.map((word, order) => {
      const [kind, incarnation] = word.split('@');
      // The words are written in this file.
      return {
        kind: kind as StepEvent['kind'],
        run: 'r',
        step: 's',
        order,
        incarnation: incarnation ?? 'n#1',
      };
    });
  const judge = (...words: string[]) => messages(checkSteps({ events: events(...words) }));

  it('accepts a step that ran once, and one that was cut off and ran again', () => {
    expect(judge('started', 'ended', 'recorded', 'used', 'used')).toEqual([]);
    expect(judge('started', 'started@n#2', 'ended@n#2', 'recorded@n#2')).toEqual([]);
    expect(judge('started', 'ended', 'started@n#2', 'recorded@n#2', 'used@n#3')).toEqual([]);
  });

  it('refutes a step that runs after its outcome was recorded or used', () => {
    expect(judge('started', 'recorded', 'started@n#2')).toEqual([
      'r s: ran in n#2 at 2 though its outcome was recorded',
    ]);
    expect(judge('started', 'used', 'started@n#2')).toEqual([
      'r s: was used in n#1 at 1 before its outcome was recorded',
      'r s: ran in n#2 at 2 though something had used its outcome',
    ]);
  });

  it('lets a life that lost its place begin what nobody needs any more', () => {
    const outdated = (...words: string[]) =>
      messages(
        checkSteps({
          events: events(...words).map(each => ({
            ...each,
            isOutdated: each.incarnation === 'old',
          })),
        }),
      );
    expect(outdated('started', 'recorded', 'started@old')).toEqual([]);
    // A policy may have answered before.
    expect(outdated('recorded', 'started@old')).toEqual([]);
    expect(outdated('started@old', 'used')).toEqual([
      'r s: was used in n#1 at 1 before its outcome was recorded',
    ]);
  });

  it('refutes more attempts in one life than the step has', () => {
    expect(judge('started', 'started')).toEqual([
      'r s: ran in n#1 at 1 though this was start 2 of 1',
    ]);
    const retried = events('started', 'started', 'started@n#2', 'started@n#2', 'recorded@n#2');
    expect(checkSteps({ events: retried, attemptsMax: () => 2 })).toEqual([]);
  });

  it('refutes an outcome from nowhere', () => {
    expect(judge('recorded')).toEqual(['r s: has an outcome in n#1 at 0 before it ever ran']);
  });
});

describe('checkTimers', () => {
  const timer = { agent: 'agent/a', timer: 'audit', dueMs: 1_000 };
  const limits = { endMs: 10_000, lateMsMax: 2_000 };

  it('accepts timers that fired in time, were cancelled, or are not due yet', () => {
    const timers = [
      { ...timer, firedMs: [1_000, 1_500] },
      { ...timer, firedMs: [], cancelledMs: 10 },
      { ...timer, dueMs: 9_000, firedMs: [] },
    ];
    expect(checkTimers(timers, limits)).toEqual([]);
  });

  it('refutes timers that fired early or never', () => {
    expect(messages(checkTimers([{ ...timer, firedMs: [1_000, 999] }], limits))).toEqual([
      'agent/a audit: fired at 999 ms, due at 1000 ms',
    ]);
    expect(messages(checkTimers([{ ...timer, firedMs: [] }], limits))).toEqual([
      'agent/a audit: was due at 1000 ms and had not fired at 10000 ms',
    ]);
  });
});

describe('checkEnded', () => {
  const limits = { healedMs: 100, withinMs: 50, endMs: 200 };

  it('accepts requests that ended in time, and those that began too late to tell', () => {
    const operations = [
      operation({ at: [0, 150] }),
      operation({ at: [120, 170], status: 'info' }),
      operation({ at: [160] }),
    ];
    expect(checkEnded(operations, limits)).toEqual([]);
  });

  it('refutes requests that never ended, or late', () => {
    expect(messages(checkEnded([operation({ at: [0], id: 4 })], limits))).toEqual([
      expect.stringMatching(/#4 .* pending never ended, not by 150 ms$/),
    ]);
    expect(checkEnded([operation({ at: [10, 151] })], limits)).toHaveLength(1);
  });
});

describe('HistoryRecorder', () => {
  it('notes orders, times and ends; what is known of a failure decides its status', () => {
    let nowMs = 5;
    const recorder = new HistoryRecorder(() => nowMs);
    const start = { client: 'c', agent: 'a', kind: 'write', action: 'add', input: 1 } as const;
    const [ok, lost, refused, broken, open] = [0, 1, 2, 3, 4].map(() => recorder.start(start));
    if (!ok || !lost || !refused || !broken || !open) throw new Error('five were started');
    nowMs = 9;
    recorder.answer(ok, 7, { epoch: 1, version: 2 });
    recorder.fail(lost, new TroupeError('DEADLINE_EXCEEDED', { detail: 'late' }));
    recorder.fail(refused, new TroupeError('MAILBOX_FULL', { detail: 'full' }));
    recorder.fail(broken, 'something');
    expect(recorder.operations.map(each => each.status)).toEqual([
      'ok',
      'info',
      'fail',
      'info',
      'pending',
    ]);
    expect(ok).toMatchObject({ startOrder: 0, endOrder: 5, startMs: 5, endMs: 9, output: 7 });
    expect([lost.error, broken.error]).toEqual(['DEADLINE_EXCEEDED', 'something']);
    expect(new Set(recorder.operations.map(each => each.command)).size).toBe(5);
    expect(open.endOrder).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('checkRun', () => {
  const operations = [
    operation({ at: [0, 1], version: 1, output: 5, input: 5, command: 'c1' }),
    operation({ at: [2, 3], kind: 'read', action: 'read', version: 1, output: 5 }),
  ];
  const records = [add(1, 5)];

  it('accepts a right history with all its parts', () => {
    const history = {
      operations,
      records,
      model,
      durable: [{ agent: 'agent/a', version: 1, order: 0.5 }],
      order: { consumed: [] },
      steps: { events: [] },
      timers: [],
      timerLimits: { endMs: 9, lateMsMax: 1 },
      endedLimits: { healedMs: 5, withinMs: 1, endMs: 9 },
    };
    expect(checkRun(history)).toEqual([]);
  });

  it('runs each check', () => {
    const violations = checkRun({
      operations: [
        ...operations,
        operation({ at: [4, 5], version: 1, output: 5, command: 'other' }),
        operation({ at: [6] }),
      ],
      records: [...records, { ...add(2, 1), epoch: 0, previous: 'x' }],
      model,
      durable: [],
      order: {
        consumed: [1, 1].map((number, order) => ({
          sender: 's',
          receiver: 'r',
          lane: 'l',
          number,
          order,
        })),
      },
      steps: { events: [{ kind: 'recorded', run: 'r', step: 's', order: 0, incarnation: 'n#1' }] },
      timers: [{ agent: 'a', timer: 't', dueMs: 5, firedMs: [1] }],
      timerLimits: { endMs: 9, lateMsMax: 1 },
      endedLimits: { healedMs: 6, withinMs: 1, endMs: 9 },
    });
    const found = new Set(violations.map(each => each.check));
    for (const check of [
      ...['versions', 'log', 'chain', 'acknowledged', 'once', 'search'],
      ...['durable-first', 'order', 'steps', 'timers', 'ended'],
    ]) {
      expect(found).toContain(check);
    }
  });
});
