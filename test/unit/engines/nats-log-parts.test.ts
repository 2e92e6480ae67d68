/** The parts of the log on NATS that only compute: subjects, messages, the chain they form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  framesOf,
  isPlainStart,
  recordsBehind,
  recordsFromSnapshot,
  shownFrom,
  snapshotSeqIn,
} from '../../../src/engines/nats/log-chain.ts';
import { LogStates, learnEnd, noMarks } from '../../../src/engines/nats/log-states.ts';
import {
  logStreamSubjects,
  markSubject,
  nameOfSubject,
  placeOf,
  shardOf,
  shardsOfStream,
} from '../../../src/engines/nats/log-subjects.ts';
import {
  decodeFrame,
  encodeFrame,
  type FrameHead,
  frameBytesOf,
  isLastSeq,
  lastSeqOf,
  recordsPerMessageMax,
  snapshotUpTo,
  streamSeqOf,
} from '../../../src/engines/nats/record-frame.ts';
import { decodeWakeEntry, encodeWakeEntry } from '../../../src/engines/nats/wake-entry.ts';
import { thrownBy } from '../../helpers/thrown-by.ts';

const layout = { cluster: 'x', shardCount: 256, streamCount: 16 };
const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 600 }),
  fc.string({ unit: fc.constantFrom('a', '/', '.', '*', '>', ' ', '=', '%', 'é', '🦊') }),
);
const seqs = fc.integer({ min: 1, max: 2 ** 40 });
const head: FrameHead = {
  name: 'a/1',
  writer: '0123456789abcdef',
  number: 7,
  previous: 0,
  snapshotBefore: 0,
  wakeAt: Number.POSITIVE_INFINITY,
};
const text = (content: string, isSnapshot = false) => ({ bytes: Buffer.from(content), isSnapshot });

describe('where a log lives', () => {
  it('gives subjects that any server takes, and that lead back to the name', () => {
    fc.assert(
      fc.property(names, name => {
        const { subject, streamIndex, stream } = placeOf(layout, name);
        expect(subject).toMatch(/^tp\.x\.log\.\d{1,3}(\.[\w=-]+){1,2}$/);
        expect(subject.length).toBeLessThanOrEqual(220);
        expect(stream).toBe(`tp_x_log_${streamIndex}`);
        expect(Number(subject.split('.')[3]) % 16).toBe(streamIndex);
        const found = nameOfSubject(layout, subject);
        expect(found === undefined ? subject.includes('==') : found === name).toBe(true);
      }),
    );
  });

  it('keeps names apart', () => {
    fc.assert(
      fc.property(names, names, (left, right) => {
        const isSame = placeOf(layout, left).subject === placeOf(layout, right).subject;
        expect(isSame).toBe(left === right);
      }),
    );
    const long = 'n'.repeat(500);
    expect(placeOf(layout, `t/${long}1`).subject).not.toBe(placeOf(layout, `t/${long}2`).subject);
  });

  it('lists a type under one word, also when its keys are hashed', () => {
    const wordsOf = (name: string) => placeOf(layout, name).subject.split('.').slice(4).join('.');
    expect(wordsOf('account/a.b')).toBe('account.a=2Eb');
    expect(wordsOf(`account/${'k'.repeat(300)}`)).toMatch(/^account\.==[0-9a-f]{40}$/);
    expect(wordsOf(`${'t'.repeat(300)}/k`)).toMatch(/^==[0-9a-f]{40}$/);
    expect(wordsOf('bare')).toBe('bare');
    expect(markSubject(layout, 'wake', placeOf(layout, 'bare'))).toMatch(
      /^tp\.x\.wake\.\d+\.bare$/,
    );
  });

  it('refuses a name that cannot be written', () => {
    expect(thrownBy(() => placeOf(layout, 'a/\ud800')).code).toBe('INVALID_INPUT');
  });

  it('spreads names over all shards, and shards over all streams', () => {
    const counts = new Map<number, number>();
    for (let index = 0; index < 25_600; index += 1) {
      const shard = shardOf(`account/user-${index}`, 256);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    expect(counts.size).toBe(256);
    expect(Math.max(...counts.values())).toBeLessThan(160);
    const shards = Array.from({ length: 16 }, (_, index) => shardsOfStream(layout, index)).flat();
    expect(new Set(shards).size).toBe(256);
    expect(logStreamSubjects({ ...layout, shardCount: 4, streamCount: 2 }, 1)).toEqual([
      'tp.x.log.1.>',
      'tp.x.log.3.>',
    ]);
  });

  it('never changes: a log that moved would be lost', () => {
    expect(placeOf(layout, 'account/alice').subject).toBe('tp.x.log.119.account.alice');
    expect(placeOf(layout, 'account/é').subject).toBe('tp.x.log.6.account.=C3=A9');
  });
});

describe('the message of an append', () => {
  const records = fc.array(
    fc.record({ bytes: fc.uint8Array({ maxLength: 300 }), isSnapshot: fc.boolean() }),
    { minLength: 1, maxLength: 40 },
  );

  it('gives back all that it was made of', () => {
    const wakeAt = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(records, names, seqs, wakeAt, (sent, name, seq, at) => {
        const made = { ...head, name, previous: seq - 1, snapshotBefore: seq - 1, wakeAt: at };
        const payload = encodeFrame(made, sent);
        expect(payload.length).toBeLessThanOrEqual(frameBytesOf(sent));
        const { records: found, streamSeq, ...rest } = decodeFrame(payload, seq, name);
        expect({ ...rest, streamSeq }).toEqual({ ...made, streamSeq: seq });
        const plain = found.map(({ bytes, isSnapshot }) => ({ bytes: [...bytes], isSnapshot }));
        expect(plain).toEqual(sent.map(each => ({ ...each, bytes: [...each.bytes] })));
        expect(found.at(-1)?.seq).toBe(lastSeqOf(seq));
        expect(found.every((each, index) => each.seq === (found[0]?.seq ?? 0) + index)).toBe(true);
      }),
    );
  });

  it('is told from one with a changed bit, a missing end, or something behind it', () => {
    const payload = encodeFrame(head, [text('one'), text('two', true)]);
    for (let at = 0; at < payload.length; at += 1) {
      const changed = Uint8Array.from(payload);
      changed[at] = (changed[at] ?? 0) ^ 16;
      expect(thrownBy(() => decodeFrame(changed, 9, 'a/1')).code).toBe('LOG_CORRUPT');
      expect(thrownBy(() => decodeFrame(payload.subarray(0, at), 9)).code).toBe('LOG_CORRUPT');
    }
    const longer = Buffer.concat([payload, Buffer.from('x')]);
    expect(thrownBy(() => decodeFrame(longer, 9)).code).toBe('LOG_CORRUPT');
  });

  it('is told from that of another log', () => {
    const error = thrownBy(() => decodeFrame(encodeFrame(head, [text('one')]), 9, 'a/2'));
    expect(error.code).toBe('LOG_CORRUPT');
    expect(error.detail).toContain('belongs to "a/1"');
  });

  it('has a format that stays as it is', () => {
    const payload = encodeFrame({ ...head, previous: 3, snapshotBefore: 2, wakeAt: 5 }, [
      text('ab'),
      text('', true),
    ]);
    expect(Buffer.from(payload).toString('hex')).toBe(
      '01efc753930123456789abcdef07000000030000000000020000000000000000000000144003612f310204016162',
    );
  });

  it('counts places back from its end, so that only the last one may be appended behind', () => {
    fc.assert(
      fc.property(seqs, seq => {
        expect(streamSeqOf(lastSeqOf(seq))).toBe(seq);
        expect(isLastSeq(lastSeqOf(seq))).toBe(true);
        expect(isLastSeq(lastSeqOf(seq) - 1)).toBe(false);
        expect(Number.isSafeInteger(lastSeqOf(seq))).toBe(true);
      }),
    );
    expect([0, 7, 0.5, Number.NaN, Number.POSITIVE_INFINITY].filter(isLastSeq)).toEqual([]);
    expect(streamSeqOf(lastSeqOf(5) - recordsPerMessageMax + 1)).toBe(5);
  });
});

describe('the chain of messages', () => {
  const message = (seq: number, previous: number, ...contents: string[]) => ({
    seq,
    subject: 's',
    payload: encodeFrame(
      { ...head, previous },
      contents.map(content => text(content, content.startsWith('S'))),
    ),
  });
  const textsOf = (records: readonly { bytes: Uint8Array }[]) =>
    records.map(({ bytes }) => Buffer.from(bytes).toString());
  const seqsOf = (...messages: ReturnType<typeof message>[]) =>
    framesOf(messages, 'a/1', 0).map(({ streamSeq }) => streamSeq);

  it('leaves out what was appended beside it, and what was appended behind that', () => {
    const [first, second] = [message(5, 0, 'a'), message(7, 5, 'b')];
    const [stray, next] = [message(8, 5, 'x'), message(9, 8, 'y')];
    expect(seqsOf(first, second, stray, next, message(10, 7, 'c'))).toEqual([5, 7, 10]);
    expect(framesOf([stray, next], 'a/1', 7)).toEqual([]);
  });

  it('begins behind messages that were trimmed while it was read', () => {
    expect(seqsOf(message(7, 5, 'b'), message(12, 10, 'c'))).toEqual([12]);
    expect(seqsOf(message(12, 10, 'c'), message(14, 12, 'd'))).toEqual([12, 14]);
  });

  it('is shown from its mark on while what lies before goes one by one', () => {
    const [first] = framesOf([message(12, 10, 'c'), message(14, 12, 'S1')], 'a/1', 0);
    if (first === undefined) throw new Error('there is a first message');
    expect(isPlainStart(first)).toBe(false);
    const cut = lastSeqOf(14);
    expect(shownFrom(first, cut)).toBe(cut);
    expect(shownFrom(first, undefined)).toBe(lastSeqOf(12));
  });

  it('finds records behind a place, and from the newest snapshot on', () => {
    const frames = framesOf([message(5, 0, 'a', 'S1', 'b'), message(7, 5, 'c')], 'a/1', 0);
    const [first = 0, second = 0] = frames[0]?.records.map(({ seq }) => seq) ?? [];
    expect(textsOf(recordsBehind(frames, 0))).toEqual(['a', 'S1', 'b', 'c']);
    expect(textsOf(recordsBehind(frames, second))).toEqual(['b', 'c']);
    expect(textsOf(recordsBehind(frames, first - 1))).toEqual(['a', 'S1', 'b', 'c']);
    expect(textsOf(recordsFromSnapshot(frames))).toEqual(['S1', 'b', 'c']);
    expect(textsOf(recordsFromSnapshot(frames.slice(1)))).toEqual(['c']);
    expect(frames.map(snapshotSeqIn)).toEqual([second, undefined]);
    expect(frames.map(snapshotUpTo)).toEqual([5, 0]);
  });

  it('shows a trimmed log from its first snapshot, or from where a mark says', () => {
    const [whole] = framesOf([message(5, 0, 'a', 'S1', 'b')], 'a/1', 0);
    const [cut] = framesOf([message(9, 5, 'c', 'S2', 'S3')], 'a/1', 0);
    const [plain] = framesOf([message(11, 9, 'd', 'e')], 'a/1', 0);
    if (whole === undefined || cut === undefined || plain === undefined)
      throw new Error('no frame');
    const of = (streamSeq: number, fromEnd: number) => lastSeqOf(streamSeq) - fromEnd;
    expect(shownFrom(whole, undefined)).toBe(of(5, 2));
    expect(shownFrom(whole, of(5, 0))).toBe(of(5, 0));
    expect(shownFrom(cut, undefined)).toBe(of(9, 1));
    expect(shownFrom(cut, of(5, 0))).toBe(of(9, 1));
    expect(shownFrom(cut, of(9, 2))).toBe(of(9, 2));
    expect(shownFrom(plain, undefined)).toBe(of(11, 1));
  });
});

describe('what is known of logs', () => {
  it('is bounded, and keeps what was used last and what is in use', () => {
    const states = new LogStates(layout, 4);
    const busy = states.of('busy');
    busy.busy = Promise.resolve();
    const first = states.of('n/0');
    for (let index = 0; index < 40; index += 1) states.of(`n/${index}`);
    expect(states.of('busy')).toBe(busy);
    expect(states.peek('n/0')).toBeUndefined();
    expect(states.of('n/0')).not.toBe(first);
    expect(states.of('n/39')).toBe(states.peek('n/39'));
  });

  it('tells the end of a log from the end of its subject', () => {
    const state = new LogStates(layout).of('a/1');
    learnEnd(state, { ...noMarks, tail: 7 }, 9);
    expect(state).toMatchObject({ strayTail: 9, floor: 9, marks: { tail: 7 } });
    learnEnd(state, { ...noMarks, tail: 10 });
    expect(state).toMatchObject({ strayTail: undefined, floor: 10 });
  });
});

describe('a wake mark', () => {
  it('gives back what it was made of, and is told from anything else', () => {
    const entry = { name: 'a/é', dueAt: 1.5e12, writer: head.writer };
    expect(decodeWakeEntry(encodeWakeEntry(entry), 3)).toEqual(entry);
    for (const payload of [
      Buffer.alloc(0),
      Buffer.alloc(30),
      encodeFrame(head, []).subarray(0, 9),
    ]) {
      expect(thrownBy(() => decodeWakeEntry(payload, 3)).code).toBe('LOG_CORRUPT');
    }
  });
});
