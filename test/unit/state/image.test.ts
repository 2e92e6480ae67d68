/** The fold: what a restart reads equals what lived, wherever a snapshot cuts the history. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentImage } from '../../../src/state/agent-image.ts';
import type { Retention } from '../../../src/state/entries.ts';
import { emptyChain } from '../../../src/state/hash.ts';
import { applyOwnRecord, applyRecord, emptyImage, wakeAtOf } from '../../../src/state/image.ts';
import { diff } from '../../../src/state/patch.ts';
import { decodeRecord, encodeRecord, type Op, type TurnRecord } from '../../../src/state/record.ts';
import { admit, streamKey } from '../../../src/state/streams.ts';

const retention: Retention = { dedupWindowMs: 50, resultWindowMs: 500 };
const names = ['a', 'b', 'c'];
const name = fc.constantFrom(...names);
/** JSON, but for the one name that no value may hold. */
const json = fc.jsonValue().filter(value => !JSON.stringify(value).includes('"__proto__"'));
const small = fc.integer({ min: 0, max: 5 });
const reply = fc.oneof(fc.constant(null), fc.tuple(fc.constant('ok' as const), json, small));
const outboxEntry = fc.record({
  id: name,
  type: fc.constant('t'),
  key: name,
  action: fc.constant('x'),
  input: json,
  priority: fc.constantFrom('high', 'normal', 'low'),
  number: small,
  at: small,
  correlationId: name,
});
const effect = fc.record({
  kind: fc.constantFrom('step', 'sleep', 'waitFor'),
  name,
  fingerprint: name,
  status: fc.constantFrom('intent', 'asking', 'done'),
  attempts: small,
  dueAt: fc.option(small, { nil: undefined }),
});
const letter = fc.record({
  id: name,
  type: fc.constant('t'),
  key: name,
  action: fc.constant('x'),
  input: json,
  error: fc.constant({ code: 'HANDLER_FAILED', outcome: 'rolled-back', detail: 'no' }),
  attempts: small,
  at: small,
  correlationId: name,
});
const run = fc.record({
  id: name,
  action: fc.constant('x'),
  input: json,
  state: json,
  version: small,
  startedAt: small,
  correlationId: name,
});
const inbox = fc.record({
  id: name,
  action: fc.constant('x'),
  input: json,
  priority: fc.constant('normal'),
  sender: name,
  number: small,
  at: small,
  correlationId: name,
});

/** Any operation but those on the state, which depend on the state before. */
const op = fc.oneof(
  fc.tuple(fc.constant('event'), name, json),
  fc.tuple(
    fc.constant('consume'),
    fc.constantFrom('~n.0', 'agent/x@l'),
    small,
    small,
    small,
    reply,
  ),
  fc.tuple(fc.constant('key'), name, name, reply),
  fc.tuple(fc.constant('send'), outboxEntry),
  fc.tuple(fc.constant('sent'), fc.array(name, { maxLength: 2 })),
  fc.tuple(fc.constant('timer'), name, fc.record({ action: name, input: json, dueAt: small })),
  fc.tuple(fc.constant('untimer'), name),
  fc.tuple(fc.constant('inbox'), inbox),
  fc.tuple(fc.constant('uninbox'), name),
  fc.tuple(fc.constant('dead'), letter),
  fc.tuple(fc.constant('undead'), name),
  fc.tuple(fc.constant('run'), run),
  fc.tuple(fc.constant('effect'), name, name, effect),
  fc.tuple(fc.constant('chunk'), name, json, fc.integer({ min: 1, max: 3 })),
  fc.tuple(fc.constant('ended'), name, fc.tuple(fc.constant('ok'), json, small)),
  fc.tuple(fc.constant('signal'), fc.record({ id: name, name, data: json })),
  fc.tuple(fc.constant('unsignal'), name),
  fc.tuple(fc.constant('delete')),
) as unknown as fc.Arbitrary<Op>;

const turns = fc.array(
  fc.record({
    ops: fc.array(op, { maxLength: 4 }),
    state: fc.option(fc.dictionary(name, json), { nil: undefined }),
    pauseMs: fc.constantFrom(0, 1, 60, 600),
  }),
  { maxLength: 25 },
);

interface Step {
  readonly ops: readonly Op[];
  readonly state: Record<string, unknown> | undefined;
  readonly pauseMs: number;
}

/** The image that lives while records are made, the records, and a snapshot after each of them. */
function live(steps: readonly Step[]) {
  const image = emptyImage('lineage', 1, 1);
  const records: TurnRecord[] = [];
  const snapshots: TurnRecord[] = [];
  let at = 1_000;
  for (const [index, { ops, state, pauseMs }] of steps.entries()) {
    at += pauseMs;
    const record: TurnRecord = {
      ...header(index, at),
      ops: [...stateOps(image, state), ...ops],
    };
    records.push(thawed(record));
    applyOwnRecord(image, record, retention, state ?? image.state);
    snapshots.push(
      thawed({ ...header(index, at), id: `snapshot ${index}`, ops: [['image', image]] }),
    );
  }
  return { image, records, snapshots };
}

function header(index: number, at: number) {
  const previous = emptyChain;
  return {
    id: `r${index}`,
    previous,
    epoch: 1,
    version: index + 1,
    at,
    stateVersion: 1,
    origin: undefined,
  };
}

function stateOps(image: AgentImage, state: unknown): Op[] {
  if (state === undefined) return [];
  if (!image.hasState) return [['whole', state]];
  const change = diff(image.state, state);
  return change === undefined ? [] : [['state', change]];
}

/** A record as it comes back from its bytes. */
function thawed(record: TurnRecord): TurnRecord {
  return decodeRecord(encodeRecord(record), 'a test');
}

function fold(records: readonly TurnRecord[]): AgentImage {
  const image = emptyImage('lineage', 1, 1);
  for (const record of records) applyRecord(image, record, retention);
  return image;
}

/** A part that was never needed equals an empty one. */
function normal(image: AgentImage): unknown {
  return Object.fromEntries(
    Object.entries(image)
      .filter(([, part]) => part !== undefined && size(part) !== 0)
      .map(([key, part]) => [key, part]),
  );
}

function size(part: unknown): number | undefined {
  if (part instanceof Map) return part.size;
  return Array.isArray(part) ? part.length : undefined;
}

describe('the fold over records', () => {
  it('yields what lived', () => {
    fc.assert(
      fc.property(turns, steps => {
        const { image, records } = live(steps);
        const folded = fold(records);
        expect(normal(folded)).toEqual(normal(image));
        expect(wakeAtOf(folded)).toBe(wakeAtOf(image));
      }),
    );
  });

  it('yields the same from any snapshot on', () => {
    fc.assert(
      fc.property(turns, fc.nat(), (steps, place) => {
        fc.pre(steps.length > 0);
        const { image, records, snapshots } = live(steps);
        const cut = place % steps.length;
        const snapshot = snapshots[cut] as TurnRecord;
        expect(normal(fold([snapshot, ...records.slice(cut + 1)]))).toEqual(normal(image));
      }),
    );
  });

  it('stops at an operation that it does not know', () => {
    const record = { ...header(0, 1), ops: [['unheard'] as unknown as Op] };
    expect(() => fold([record])).toThrowError(expect.objectContaining({ code: 'LOG_CORRUPT' }));
  });
});

describe('admission of numbered messages', () => {
  it('runs each number once and in order, whatever comes twice or early', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 60 }), arrivals => {
        const image = emptyImage('lineage', 1, 1);
        const done: number[] = [];
        for (const number of arrivals) {
          const numbering = { sender: '~n.0', number, floor: 1 };
          if (admit(image.streams?.get(streamKey('~n.0', 1)), numbering).kind !== 'run') continue;
          done.push(number);
          const ops: Op[] = [['consume', '~n.0', 1, number, 1, ['ok', number, 1]]];
          applyRecord(image, { ...header(0, 1), ops }, retention);
        }
        expect(done).toEqual(done.map((_, index) => index + 1));
      }),
    );
  });

  it('passes over what was abandoned, and remembers replies above the floor only', () => {
    const stream = { floor: 3, next: 6, replies: [3, null, 5, ['ok', 'five', 9] as const], at: 0 };
    const kindOf = (number: number, floor: number, abandoned?: readonly number[]) =>
      admit(stream, { sender: 's', number, floor, abandoned });
    expect(kindOf(6, 3)).toEqual({ kind: 'run' });
    expect(kindOf(8, 3)).toEqual({ kind: 'early' });
    expect(kindOf(8, 3, [6, 7])).toEqual({ kind: 'run' });
    expect(kindOf(8, 8)).toEqual({ kind: 'run' });
    expect(kindOf(5, 3)).toEqual({ kind: 'duplicate', reply: ['ok', 'five', 9] });
    expect(kindOf(4, 3)).toEqual({ kind: 'expired' });
  });
});
