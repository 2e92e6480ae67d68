/**
 * Compares what callers were told with what agents hold in the end, and with the book that the
 * steps of jobs keep outside Troupe.
 */
import { isTallied, stepNames } from './nats-series-agents.ts';
import type { KnownOperation, SeriesHistory } from './nats-series-history.ts';

/** What was found. */
export interface Verdict {
  /** Turns and tasks that were acknowledged. */
  readonly acknowledged: number;
  /** What was acknowledged or promised, and is not there. */
  readonly lost: number;
  /** What took effect more than once. */
  readonly doubled: number;
  /** Bodies that ran again although what they gave had been recorded. */
  readonly stepsRepeated: number;
  /** Bodies that ran again because they were cut off, which is what they are for. */
  readonly stepsCutOff: number;
  /** Each of the above in words, and every other promise that was broken. */
  readonly complaints: readonly string[];
}

/** Judges what came of a series. */
export function judge(history: SeriesHistory, book: string): Verdict {
  const found = new Findings(history);
  const byAgent = Map.groupBy(history.operations, ({ agent }) => agent);
  const promised: number[] = [];
  for (const [agent, operations] of byAgent) {
    const held = history.held.get(agent);
    if (held === undefined) found.complaints.push(`nobody said what ${agent} holds`);
    else {
      found.compare(agent, operations, held);
      promised.push(...(agent.startsWith('job/') ? held : held.filter(isTallied)));
    }
  }
  found.compareTally(new Set(promised), history.held.get('tally/main') ?? []);
  const { repeated, cutOff, complaints } = readBook(book);
  return {
    acknowledged: found.acknowledged,
    lost: found.lost,
    doubled: found.doubled,
    stepsRepeated: repeated,
    stepsCutOff: cutOff,
    complaints: [...history.complaints, ...found.complaints, ...complaints],
  };
}

class Findings {
  readonly complaints: string[] = [];
  acknowledged = 0;
  lost = 0;
  doubled = 0;

  constructor({ answers }: SeriesHistory) {
    this.acknowledged = answers.filter(({ kind }) => kind !== 'count').length;
  }

  compare(agent: string, operations: readonly KnownOperation[], held: readonly number[]): void {
    const known = new Set(operations.map(({ id }) => id));
    const places = this.#placesOf(agent, held);
    for (const id of places.keys()) {
      if (!known.has(id)) this.complaints.push(`${agent} holds ${id}, which nobody asked for`);
    }
    for (const operation of operations) {
      if (operation.kind !== 'count') this.#compareOne(operation, places.get(operation.id));
    }
    this.#checkOrder(agent, operations);
  }

  /** What agents promised to send has arrived, once. */
  compareTally(promised: ReadonlySet<number>, held: readonly number[]): void {
    const places = this.#placesOf('tally/main', held);
    for (const id of promised) {
      if (places.has(id)) continue;
      this.lost += 1;
      this.complaints.push(`lost: tally/main was never told of ${id}`);
    }
    for (const id of places.keys()) {
      if (!promised.has(id)) this.complaints.push(`tally/main was told of ${id}, which never was`);
    }
  }

  /** The first place of each, counted from 1. */
  #placesOf(agent: string, held: readonly number[]): ReadonlyMap<number, number> {
    const places = new Map<number, number>();
    for (const [index, id] of held.entries()) {
      if (!places.has(id)) places.set(id, index + 1);
      else {
        this.doubled += 1;
        this.complaints.push(`doubled: ${agent} holds ${id} twice`);
      }
    }
    return places;
  }

  #compareOne(operation: KnownOperation, place: number | undefined): void {
    const { id, kind, agent, answer, refusals, unheard } = operation;
    if (answer === undefined) {
      const isRefused = unheard === 0 && refusals.every(outcome => outcome === 'not-executed');
      if (isRefused && place !== undefined) {
        this.complaints.push(`${agent} applied ${id}, which was refused as not executed`);
      }
      return;
    }
    if (place === undefined) {
      this.lost += 1;
      this.complaints.push(`lost: ${agent} acknowledged ${id}, version ${answer.version}`);
      return;
    }
    const value = kind === 'work' ? id : place;
    if (answer.value !== value) {
      this.complaints.push(`${agent} answered ${id} with ${answer.value}, not ${value}`);
    }
  }

  /** Each turn has a version of its own; epochs and what is answered rise with versions. */
  #checkOrder(agent: string, operations: readonly KnownOperation[]): void {
    const answered = operations.flatMap(({ id, kind, answer }) =>
      answer === undefined || kind === 'work' ? [] : [{ id, isRead: kind === 'count', ...answer }],
    );
    // A read of a version comes behind the turn that made it.
    answered.sort((a, b) => a.version - b.version || Number(a.isRead) - Number(b.isRead));
    for (const [index, { id, isRead, epoch, version, value }] of answered.entries()) {
      const before = answered[index - 1];
      if (before === undefined) continue;
      const isTwice = !isRead && version === before.version;
      const isBack = epoch < before.epoch || value < before.value;
      const isOld = !isRead && value === before.value;
      if (!isTwice && !isBack && !isOld) continue;
      this.complaints.push(
        `${agent}: ${before.id} was answered (${before.epoch}, ${before.version}) with ${before.value}, and ${id} (${epoch}, ${version}) with ${value}`,
      );
    }
  }
}

const order: readonly string[] = stepNames;

/** A body may start again only as long as nothing that awaited it has begun or been answered. */
function readBook(text: string) {
  const begun = new Set<string>();
  const answered = new Set<string>();
  const complaints: string[] = [];
  let cutOff = 0;
  for (const line of text.split('\n')) {
    const [mark, id = '', name = ''] = line.split(' ');
    if (mark === 'answered') answered.add(id);
    if (mark !== 'start') continue;
    const next = stepNames[order.indexOf(name) + 1];
    const isRecorded = answered.has(id) || (next !== undefined && begun.has(`${id} ${next}`));
    const isAgain = begun.has(`${id} ${name}`);
    if (isRecorded) complaints.push(`repeated: the step ${name} of job ${id} had been recorded`);
    else cutOff += Number(isAgain);
    begun.add(`${id} ${name}`);
  }
  return { repeated: complaints.length, cutOff, complaints };
}
