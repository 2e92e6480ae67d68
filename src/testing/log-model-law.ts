/**
 * The model law of the log: random operations on an engine and on the plainest model there could be
 * have to agree. The seed is in the message, so a failure can be repeated.
 */
import { textOf } from '../core/errors.ts';
import type { Log, NewRecord, Seq } from '../ports/log.ts';
import { bytesOf, failureOf, must, mustEqual, readText } from './law-checks.ts';
import type { Law } from './laws.ts';
import { allHeads, type LogSubject, readAll, readAllLatest } from './log-law-steps.ts';
import { SimRandom } from './sim-random.ts';

interface ModelRecord {
  readonly seq: Seq;
  readonly text: string;
  readonly isSnapshot: boolean;
}

interface ModelLog {
  records: ModelRecord[];
  wakeAt: number;
}

interface Run {
  log: Log;
  readonly subject: LogSubject;
  readonly model: Map<string, ModelLog>;
  readonly random: SimRandom;
}

const names = ['a/1', 'a/2', 'a/10', 'b/é', 'b/*'];
const seeds = 4;
const operations = 250;

/** See {@link LogSubject}. */
export const logModelLaws: readonly Law<LogSubject>[] = [
  {
    name: 'agrees with a model over random operations',
    run: subject => runSeeds(subject, false),
  },
  {
    name: 'agrees with a model over random operations and being opened again',
    needs: ['reopen'],
    run: subject => runSeeds(subject, true),
  },
];

async function runSeeds(subject: LogSubject, isReopened: boolean): Promise<void> {
  let log = subject.log;
  const model = new Map<string, ModelLog>();
  for (let seed = 1; seed <= seeds; seed++) {
    const run: Run = { log, subject, model, random: new SimRandom(`log-model/${seed}`) };
    try {
      for (let count = 0; count < operations; count++) await operate(run, isReopened);
      for (const name of names) await compare(run, name);
    } catch (error) {
      throw new Error(`seed ${seed}: ${textOf(error)}`, { cause: error });
    }
    log = run.log;
  }
}

async function operate(run: Run, isReopened: boolean): Promise<void> {
  const { random } = run;
  const name = random.pick(names) ?? 'a/1';
  const draw = random.below(100);
  if (draw < 45) await append(run, name);
  else if (draw < 55) await trim(run, name);
  else if (draw < 70) await compareLatest(run, name);
  else if (draw < 85) await comparePart(run, name);
  else if (draw < 97) await compareHeads(run);
  else if (isReopened) run.log = (await run.subject.reopen?.()) ?? run.log;
}

async function append(run: Run, name: string): Promise<void> {
  const { random, model, log } = run;
  const { records, wakeAt } = model.get(name) ?? { records: [], wakeAt: Number.POSITIVE_INFINITY };
  const tail = records.at(-1)?.seq ?? 0;
  const expected = random.chance(0.8) ? tail : (random.pick(records)?.seq ?? 99);
  const fresh = Array.from({ length: 1 + random.below(4) }, () => ({
    text: random.hex(random.below(40)),
    isSnapshot: random.chance(0.15),
  }));
  const newWakeAt = random.chance(0.3) ? random.below(1_000) : undefined;
  const sent: NewRecord[] = fresh.map(({ text, isSnapshot }) => ({
    bytes: bytesOf(text),
    isSnapshot,
  }));

  const result = await log.append(name, expected, sent, { wakeAt: newWakeAt });
  if (expected !== tail) return mustEqual(result, { status: 'conflict' }, `append to ${name}`);
  must(result.status === 'accepted', `an append to ${name} behind its tail is accepted`);
  const stored = (await readAll(log, name, tail)).records;
  mustEqual(
    stored.map(each => [readText(each.bytes), each.isSnapshot]),
    fresh.map(each => [each.text, each.isSnapshot]),
    `what was appended to ${name}`,
  );
  const added = stored.map((each, index) => ({
    seq: each.seq,
    text: fresh[index]?.text ?? '',
    isSnapshot: each.isSnapshot,
  }));
  must(
    added.every((each, index) => each.seq > (added[index - 1]?.seq ?? tail)),
    'places rise',
  );
  mustEqual(result.seq, added.at(-1)?.seq, 'the place of the last');
  model.set(name, { records: [...records, ...added], wakeAt: newWakeAt ?? wakeAt });
}

async function trim({ random, model, log }: Run, name: string): Promise<void> {
  const found = model.get(name);
  const before = (random.pick(found?.records ?? [])?.seq ?? 1) + random.below(2);
  const newest = found?.records.findLast(each => each.isSnapshot)?.seq;
  if (found === undefined || newest === undefined || before > newest) {
    const error = await failureOf(log.trim(name, before), `trimming ${name} to ${before}`);
    mustEqual(error.code, 'INVALID_INPUT', 'the code');
    return;
  }
  await log.trim(name, before);
  found.records = found.records.filter(each => each.seq >= before);
}

async function compare({ model, log }: Run, name: string): Promise<void> {
  const { records, tail } = await readAll(log, name);
  const expected = model.get(name)?.records ?? [];
  mustEqual(records.map(plain), expected, `all of ${name}`);
  mustEqual(tail, expected.at(-1)?.seq ?? 0, `the tail of ${name}`);
}

async function comparePart({ random, model, log }: Run, name: string): Promise<void> {
  const expected = model.get(name)?.records ?? [];
  const after = (random.pick(expected)?.seq ?? 0) - random.below(2);
  const { records } = await readAll(log, name, Math.max(0, after), 1 + random.below(10));
  mustEqual(
    records.map(plain),
    expected.filter(each => each.seq > after),
    `${name} behind ${after}`,
  );
}

async function compareLatest({ model, log }: Run, name: string): Promise<void> {
  const { records } = await readAllLatest(log, name);
  const expected = model.get(name)?.records ?? [];
  const start = expected.findLastIndex(each => each.isSnapshot);
  mustEqual(records.map(plain), expected.slice(Math.max(0, start)), `the latest of ${name}`);
}

async function compareHeads({ random, model, log }: Run): Promise<void> {
  const prefix = random.pick(['', 'a/', 'a/1', 'b/', 'c']) ?? '';
  const dueAt = random.chance(0.5) ? random.below(1_000) : undefined;
  const listed = await allHeads(log, { prefix, dueAt, limit: 1 + random.below(4) });
  const expected = [...model]
    .filter(([name, { wakeAt }]) => name.startsWith(prefix) && wakeAt <= (dueAt ?? wakeAt))
    .map(([name, { records, wakeAt }]) => ({ name, tail: records.at(-1)?.seq ?? 0, wakeAt }));
  const byName = (left: { name: string }, right: { name: string }) =>
    left.name < right.name ? -1 : 1;
  const actual = listed.map(({ name, tail, wakeAt }) => ({ name, tail, wakeAt }));
  mustEqual(actual.toSorted(byName), expected.toSorted(byName), `heads of "${prefix}" at ${dueAt}`);
}

function plain(each: { seq: Seq; bytes: Uint8Array; isSnapshot: boolean }): ModelRecord {
  return { seq: each.seq, text: readText(each.bytes), isSnapshot: each.isSnapshot };
}
