/** All logs of a cluster at one moment: complete whoever answers, each as it reads by itself. */
import { describe, expect, it } from 'vitest';
import { type CopiedRecords, LogCourses } from '../../../src/engines/nats/copy-courses.ts';
import { CopySource } from '../../../src/engines/nats/copy-source.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { placeOf } from '../../../src/engines/nats/log-subjects.ts';
import { encodeFrame, lastSeqOf } from '../../../src/engines/nats/record-frame.ts';
import type { Log, Seq, StoredRecord } from '../../../src/ports/log.ts';
import { inNatsModel, type NatsModel } from '../../helpers/nats-model.ts';
import { thrownBy } from '../../helpers/thrown-by.ts';

const layout = { cluster: 'x', shardCount: 4, streamCount: 2 };

/** A log and a source of copies, each on a connection of its own. */
async function openedIn({ connect, clock, random }: NatsModel, replicas: number) {
  const client = await connect();
  const log = await openNatsLog({ client, clock, random, replicas, ...layout });
  const copy = async () => CopySource.open({ client: await connect(), clock, random, layout });
  return { log, copy };
}

async function append(log: Log, name: string, after: Seq, texts: readonly string[]): Promise<Seq> {
  const records = texts.map(text => ({
    bytes: Buffer.from(text),
    isSnapshot: text.startsWith('S'),
  }));
  const wakeAt = texts.length * 1_000;
  const result = await log.append(name, after, records, { wakeAt });
  if (result.status !== 'accepted') throw new Error(`${name}: ${result.status}`);
  return result.seq;
}

interface Copied {
  readonly texts: string[];
  readonly seqs: Seq[];
  wakeAt: number;
  tail: Seq;
}

async function copiedBy(source: CopySource): Promise<Map<string, Copied>> {
  const all = new Map<string, Copied>();
  for await (const batch of source.batches()) {
    for (const { name, records, wakeAt, tail } of batch) {
      const log = all.get(name) ?? { texts: [], seqs: [], wakeAt, tail };
      log.texts.push(...records.map(textOf));
      log.seqs.push(...records.map(({ seq }) => seq));
      Object.assign(log, { wakeAt, tail });
      all.set(name, log);
    }
  }
  return all;
}

const textOf = ({ bytes }: StoredRecord) => Buffer.from(bytes).toString();

async function textsOf(log: Log, name: string): Promise<string[]> {
  const { records } = await log.read(name, { after: 0, recordsMax: 10_000 });
  return records.map(textOf);
}

describe('a source of copies', () => {
  it('shows all that was acknowledged, however far replicas lag', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      await inNatsModel({ seed, servers: 3 }, async model => {
        const { log, copy } = await openedIn(model, 3);
        for (const server of model.cluster.servers) model.cluster.lag(server, 5_000);
        const written = await written24(log);
        expect(textsIn(await copiedBy(await copy()))).toEqual(written);
      });
    }
  });

  it('leaves out what is appended behind its moment, and leaves nothing of its own', async () => {
    await inNatsModel({ seed: 1 }, async model => {
      const { log, copy } = await openedIn(model, 1);
      const tail = await append(log, 'a/1', 0, ['one']);
      await using source = await copy();
      await append(log, 'a/1', tail, ['two']);
      await append(log, 'a/2', 0, ['other']);
      const copied = await copiedBy(source);
      expect([...copied.keys()]).toEqual(['a/1']);
      expect(copied.get('a/1')).toMatchObject({ texts: ['one'], tail, wakeAt: 1_000 });
      const { heads } = await log.heads({});
      expect(heads.map(({ name }) => name).sort()).toEqual(['a/1', 'a/2']);
      await source.close();
      expect((await copiedBy(await copy())).get('a/1')?.texts).toEqual(['one', 'two']);
    });
  });

  it('shows trimmed logs from where they begin, on servers old and new', async () => {
    for (const version of ['2.9.10', '2.15.1']) {
      for (let seed = 1; seed <= 10; seed += 1) {
        await inNatsModel({ seed, version }, async model => {
          const { log, copy } = await openedIn(model, 1);
          for (let key = 0; key < 4; key += 1) await workedOn(model, log, `a/${key}`);
          const copied = await copiedBy(await copy());
          for (const [name, { texts, seqs }] of copied) {
            expect(texts).toEqual(await textsOf(log, name));
            expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
          }
        });
      }
    }
  });
});

/** Three appends to each of eight logs. */
async function written24(log: Log): Promise<Record<string, string[]>> {
  const written: Record<string, string[]> = {};
  const tails = new Map<string, Seq>();
  for (let count = 0; count < 24; count += 1) {
    const name = `a/${count % 8}`;
    tails.set(name, await append(log, name, tails.get(name) ?? 0, [String(count)]));
    written[name] = [...(written[name] ?? []), String(count)];
  }
  return written;
}

function textsIn(copied: ReadonlyMap<string, Copied>): Record<string, string[]> {
  return Object.fromEntries([...copied].map(([name, { texts }]) => [name, texts]));
}

/** Appends with snapshots anywhere among the records, and trims to some of them. */
async function workedOn({ random }: NatsModel, log: Log, name: string): Promise<void> {
  let tail = 0;
  for (let round = 0; round < 12; round += 1) {
    const count = 1 + Math.floor(random.next() * 4);
    const texts = Array.from({ length: count }, (_, at) => {
      return `${random.next() < 0.3 ? 'S' : 'r'}${round}.${at}`;
    });
    tail = await append(log, name, tail, texts);
    if (random.next() < 0.6) continue;
    const { records } = await log.read(name, { after: 0, recordsMax: 10_000 });
    const snapshots = records.filter(({ isSnapshot }) => isSnapshot);
    const chosen = snapshots[Math.floor(random.next() * snapshots.length)];
    if (chosen !== undefined) await log.trim(name, chosen.seq);
  }
}

describe('the logs of a stream', () => {
  const { subject } = placeOf(layout, 'a/1');
  const message = (seq: number, previous: number, name = 'a/1') => {
    const head = { name, writer: 'ffffffffffffffff', number: seq, previous };
    const more = { snapshotBefore: 0, wakeAt: seq };
    const payload = encodeFrame({ ...head, ...more }, [{ bytes: Buffer.from(`r${seq}`) }]);
    return { seq, subject, payload };
  };
  const taken = (...messages: ReturnType<typeof message>[]): CopiedRecords[] =>
    new LogCourses(layout, new Map()).take(messages);

  it('are their messages in order, with what the last one says', () => {
    const [log, ...others] = taken(message(4, 0), message(6, 4), message(9, 6));
    expect(others).toEqual([]);
    expect(log?.records.map(textOf)).toEqual(['r4', 'r6', 'r9']);
    expect(log).toMatchObject({ name: 'a/1', wakeAt: 9, tail: lastSeqOf(9) });
  });

  it('do without what was taken beside them', () => {
    const [log] = taken(message(4, 0), message(6, 4), message(7, 4), message(8, 7), message(9, 6));
    expect(log?.records.map(textOf)).toEqual(['r4', 'r6', 'r9']);
  });

  it('are not shown with a hole, nor with a message of another', () => {
    const hole = () => taken(message(4, 0), message(9, 6));
    expect(thrownBy(hole)).toMatchObject({
      code: 'LOG_CORRUPT',
      detail: 'a/1: message 9 follows message 6, which is gone',
    });
    const strange = () => taken(message(4, 0, 'a/2'));
    expect(thrownBy(strange)).toMatchObject({ code: 'LOG_CORRUPT' });
  });
});
