/** What a replica of a modelled stream holds, against a plain list. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type NewMessage,
  SimNatsStore,
  type StoreChange,
} from '../../../src/testing/sim-nats-store.ts';
import { matches } from '../../../src/testing/sim-nats-subjects.ts';

const subjects = ['a.1', 'a.2', 'b.1'] as const;
const patterns = ['a.1', 'a.*', '>', 'c'] as const;

function message(subject: string): NewMessage {
  return { subject, payload: new Uint8Array(3), headers: {}, timeMs: 0 };
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), subject: fc.constantFrom(...subjects) }),
  fc.record({ kind: fc.constant('remove' as const), seq: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('purge' as const),
    filter: fc.constantFrom(...patterns),
    seq: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    keep: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('undo' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;
interface Kept {
  readonly seq: number;
  readonly subject: string;
}

/** The same as a plain list, of which every state is kept. */
class PlainStore {
  states: { list: Kept[]; last: number }[] = [{ list: [], last: 0 }];

  get now() {
    return this.states.at(-1) ?? { list: [], last: 0 };
  }

  run(each: Step): void {
    const { list, last } = this.now;
    if (each.kind === 'undo') {
      if (this.states.length > 1) this.states.pop();
    } else if (each.kind === 'append') {
      const next = last + 1;
      this.states.push({ list: [...list, { seq: next, subject: each.subject }], last: next });
    } else if (each.kind === 'remove') {
      this.states.push({ list: list.filter(({ seq }) => seq !== each.seq), last });
    } else this.states.push({ list: this.#purged(each), last });
  }

  #purged({ filter, seq, keep }: Extract<Step, { kind: 'purge' }>): Kept[] {
    const { list } = this.now;
    const hit = list.filter(each => matches(filter, each.subject));
    const gone =
      seq !== undefined
        ? hit.filter(each => each.seq < seq)
        : hit.slice(0, Math.max(0, hit.length - (keep ?? 0)));
    return list.filter(each => !gone.includes(each));
  }
}

describe('the store of a replica', () => {
  it('agrees with a plain list, also when changes are taken back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const [store, plain] = [new SimNatsStore(), new PlainStore()];
        const changes: StoreChange[] = [];
        for (const each of steps) {
          runOn(store, changes, each);
          plain.run(each);
          compare(store, plain);
          compare(store.copy(), plain);
        }
      }),
    );
  });

  it('counts bytes as a file store does, with and without headers', () => {
    const store = new SimNatsStore();
    store.append(message('log.a'), []);
    expect(store.bytes).toBe(38);
    const headers = { 'Nats-Expected-Last-Subject-Sequence': '1' };
    store.append({ ...message('log.a'), headers }, []);
    expect(store.bytes).toBe(38 + 38 + 4 + 12 + 40);
  });

  it('has no first message before the first ever, and the next one when all are gone', () => {
    const store = new SimNatsStore();
    expect(store.firstSeq).toBe(0);
    store.append(message('a.1'), []);
    expect(store.firstSeq).toBe(1);
    store.remove([1]);
    expect(store.firstSeq).toBe(2);
    expect(store.oldest()).toBeUndefined();
  });

  it('gives the newest of each subject, up to a place', () => {
    const store = new SimNatsStore();
    for (const subject of ['a.1', 'a.2', 'a.1', 'b.1']) store.append(message(subject), []);
    const seqs = (upTo?: number) => store.lastOfEach(['a.*', 'a.1'], upTo).map(({ seq }) => seq);
    expect(seqs()).toEqual([2, 3]);
    expect(seqs(2)).toEqual([1, 2]);
    expect(store.surplus('a.1', 1)).toEqual([1]);
    expect(store.gaps()).toEqual([]);
  });
});

function runOn(store: SimNatsStore, changes: StoreChange[], each: Step): void {
  if (each.kind === 'append') changes.push(store.append(message(each.subject), []));
  else if (each.kind === 'remove') changes.push(store.remove([each.seq]));
  else if (each.kind === 'purge') changes.push(store.remove(store.purged(each)));
  else {
    const change = changes.pop();
    if (change !== undefined) store.undo(change);
  }
}

function compare(store: SimNatsStore, plain: PlainStore): void {
  const { list, last } = plain.now;
  expect([store.count, store.lastSeq]).toEqual([list.length, last]);
  expect(store.oldest()?.seq).toBe(list[0]?.seq);
  for (const pattern of patterns) {
    const hit = list.filter(({ subject }) => matches(pattern, subject));
    expect(store.last(pattern)?.seq).toBe(hit.at(-1)?.seq);
    for (const from of [1, 4]) {
      const rest = hit.filter(({ seq }) => seq >= from);
      expect(store.next(pattern, from)?.seq).toBe(rest[0]?.seq);
      expect(store.countFrom(pattern, from)).toBe(rest.length);
    }
    const counts = new Map(store.counts(pattern));
    for (const subject of subjects) {
      expect(counts.get(subject) ?? 0).toBe(hit.filter(each => each.subject === subject).length);
    }
  }
}
