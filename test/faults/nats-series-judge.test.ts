/**
 * The checks of the series of faults can fail: each promise is broken once, in what callers were
 * told, in what agents hold, or in the book of the steps.
 */
import { describe, expect, it } from 'vitest';
import type { SeriesEvent } from './nats-series-events.ts';
import { SeriesHistory } from './nats-series-history.ts';
import { judge } from './nats-series-judge.ts';
import { type Fault, measureFaults } from './nats-series-measure.ts';
import { faultTable, totalsLine, totalsOf } from './nats-series-report.ts';

const agent = 'counter/1';

function asked(id: number, kind: 'add' | 'count' | 'work' = 'add', isKeyed = false): SeriesEvent {
  return { event: 'asked', at: id, id, kind, agent: kind === 'work' ? 'job/1' : agent, isKeyed };
}

function answered(id: number, version: number, value: number, epoch = 1): SeriesEvent {
  return { event: 'answered', at: id, id, epoch, version, value };
}

function failed(id: number, outcome: 'not-executed' | 'unknown', code = 'NO_QUORUM'): SeriesEvent {
  return { event: 'failed', at: id, id, code, outcome, detail: 'why' };
}

function holds(operations: readonly number[], of = agent): SeriesEvent {
  return { event: 'holds', agent: of, operations };
}

function verdictOn(events: readonly SeriesEvent[], book = '') {
  const history = new SeriesHistory();
  for (const event of events) history.take(event);
  return judge(history, book);
}

describe('the verdict on a series', () => {
  it('finds nothing where nothing is wrong', () => {
    const verdict = verdictOn([
      ...[asked(1), answered(1, 1, 1), asked(2), answered(2, 2, 2), asked(3, 'count')],
      ...[answered(3, 2, 2), asked(4), failed(4, 'not-executed'), asked(5), asked(6, 'work')],
      ...[failed(5, 'unknown', 'DEADLINE_EXCEEDED'), answered(6, 1, 6), holds([1, 2, 5])],
      ...[holds([6], 'job/1'), holds([6], 'tally/main')],
    ]);
    expect(verdict).toMatchObject({ acknowledged: 3, lost: 0, doubled: 0, complaints: [] });
  });

  it.each<{ name: string; events: SeriesEvent[]; complaint: RegExp }>([
    {
      name: 'a turn that was acknowledged and is not there',
      events: [asked(1), answered(1, 1, 1), holds([])],
      complaint: /^lost: counter\/1 acknowledged 1/,
    },
    {
      name: 'a turn that took effect twice',
      events: [asked(1), answered(1, 1, 1), holds([1, 1])],
      complaint: /^doubled: counter\/1 holds 1 twice/,
    },
    {
      name: 'a turn that was refused and took effect',
      events: [asked(1), failed(1, 'not-executed'), holds([1])],
      complaint: /refused as not executed/,
    },
    {
      name: 'a turn that nobody asked for',
      events: [asked(1), answered(1, 1, 1), holds([1, 7])],
      complaint: /holds 7, which nobody asked for/,
    },
    {
      name: 'a turn in another place than was answered',
      events: [asked(1), answered(1, 1, 2), holds([1])],
      complaint: /answered 1 with 2, not 1/,
    },
    {
      name: 'two turns of one version',
      events: [asked(1), asked(2), answered(1, 1, 1), answered(2, 1, 2), holds([1, 2])],
      complaint: /1 was answered \(1, 1\) with 1, and 2 \(1, 1\) with 2/,
    },
    {
      name: 'an epoch that falls',
      events: [asked(1), answered(1, 1, 1, 2), asked(2), answered(2, 2, 2, 1), holds([1, 2])],
      complaint: /1 was answered \(2, 1\)/,
    },
    {
      name: 'a turn before one that was answered earlier',
      events: [asked(1), answered(1, 2, 2), asked(2), answered(2, 1, 1), holds([2, 1])],
      complaint: /add 2 of counter\/1 has version 1, after 2/,
    },
    {
      name: 'a read that is old',
      events: [asked(1), answered(1, 1, 1), asked(2, 'count'), answered(2, 0, 0), holds([1])],
      complaint: /count 2 of counter\/1 has version 0, after 1/,
    },
    {
      name: 'a message that was promised and never came',
      events: [asked(10), answered(10, 1, 1), holds([10]), holds([], 'tally/main')],
      complaint: /^lost: tally\/main was never told of 10/,
    },
    {
      name: 'a message of a turn that never was',
      events: [asked(10), failed(10, 'not-executed'), holds([]), holds([10], 'tally/main')],
      complaint: /tally\/main was told of 10, which never was/,
    },
    {
      name: 'an agent that was never heard of again',
      events: [asked(1), answered(1, 1, 1)],
      complaint: /nobody said what counter\/1 holds/,
    },
    {
      name: 'an error that callers must not see',
      events: [asked(1), failed(1, 'unknown', 'INVARIANT_BROKEN'), holds([])],
      complaint: /INVARIANT_BROKEN unknown: why/,
    },
    {
      name: 'an error with an outcome that it cannot have',
      events: [asked(1), failed(1, 'unknown', 'OVERLOADED'), holds([])],
      complaint: /OVERLOADED unknown: why/,
    },
  ])('finds $name', ({ events, complaint }) => {
    const { complaints } = verdictOn(events);
    expect(complaints).toEqual([expect.stringMatching(complaint)]);
  });

  it('takes the outcomes of all attempts together', () => {
    const twice = [asked(1), failed(1, 'unknown', 'DEADLINE_EXCEEDED'), asked(1)];
    expect(verdictOn([...twice, failed(1, 'not-executed'), holds([1])]).complaints).toEqual([]);
    // Of an attempt that the node did not live to end nothing is known.
    expect(verdictOn([asked(1), holds([1])]).complaints).toEqual([]);
  });

  it('tells steps that were cut off from steps that had been recorded', () => {
    const cutOff = 'start 1 fetch\nstart 1 fetch\nend 1 fetch\nstart 1 weigh\n';
    expect(verdictOn([], cutOff)).toMatchObject({ stepsRepeated: 0, stepsCutOff: 1 });
    const repeated = verdictOn([], `${cutOff}start 1 fetch\n`);
    expect(repeated).toMatchObject({ stepsRepeated: 1, stepsCutOff: 1 });
    expect(verdictOn([], 'start 1 store\nanswered 1\nstart 1 store\n').stepsRepeated).toBe(1);
  });

  it('gives the open questions to the next life', () => {
    const history = new SeriesHistory();
    for (const event of [asked(1, 'add', true), asked(2), asked(3, 'work', true)]) {
      history.take(event);
    }
    history.take(answered(3, 1, 3));
    expect(history.open).toEqual([{ id: 1, kind: 'add', agent, isKeyed: true }]);
  });
});

describe('the measure of a fault', () => {
  const add = (of: string, at: number) => ({ agent: of, kind: 'add' as const, at });
  const fault: Fault = { kind: 'cut', note: 'one', at: 1_000, healedAt: 6_000 };
  const answers = [
    ...[add('a', 900), add('b', 950), add('b', 1_100), add('b', 1_400), add('a', 7_500)],
    ...[add('b', 7_600), { agent: 'a', kind: 'count' as const, at: 1_300 }],
  ];
  const refusals = [
    { at: 2_000, code: 'NO_QUORUM', outcome: 'not-executed' as const },
    { at: 9_000, code: 'NO_QUORUM', outcome: 'not-executed' as const },
  ];

  it('takes the longest time without an answer of each agent, until the next fault', () => {
    const next = { ...fault, at: 8_000, healedAt: 8_000 };
    const [first, second] = measureFaults({ answers, refusals }, [fault, next]);
    expect(first).toMatchObject({
      ...{ firstMs: 100, stallMs: 6_500, stalledAgents: 2, normalMs: 1_600, readStallMs: 300 },
      refusals: { 'NO_QUORUM not-executed': 1 },
    });
    expect(second).toMatchObject({ firstMs: undefined, stallMs: undefined, stalledAgents: 0 });
  });

  it('is added up to a table and a line', () => {
    const verdict = verdictOn([asked(1), answered(1, 1, 1), holds([1, 1])]);
    const faults = measureFaults({ answers, refusals }, [fault]);
    const results = [{ version: '2.15.1', faults, verdict }];
    expect(totalsLine('series', totalsOf(results))).toBe(
      'series: 1 faults, 1 acknowledged, 0 lost, 1 doubled, 0 steps repeated',
    );
    const cells = faultTable(results)
      .split('\n')[2]
      ?.split('|')
      .map(cell => cell.trim());
    expect(cells?.slice(1, -1)).toEqual([
      ...['cut', '1', '0.1 / 0.1 s', '6.5 / 6.5 s', '2', '0.3 / 0.3 s', '1.6 / 1.6 s'],
      'NO_QUORUM not-executed (2)',
    ]);
  });
});
