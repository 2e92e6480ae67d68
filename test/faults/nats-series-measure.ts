/** How long callers waited for what, and what they were told, around each fault of a series. */
import type { AnswerTime, Refusal, SeriesHistory } from './nats-series-history.ts';

/** Something that was done to a node, its servers or their network; times of the wall clock. */
export interface Fault {
  readonly kind: string;
  /** Which one was hit, for example. */
  readonly note: string;
  readonly at: number;
  /** When it was taken back, where that is not the same moment. */
  readonly healedAt: number;
}

/** A fault, and what callers saw until the next one. */
export interface MeasuredFault extends Fault {
  /** Until any agent acknowledged a turn again; nothing when none did before the next fault. */
  readonly firstMs: number | undefined;
  /** The longest time that one agent acknowledged nothing, since the fault. */
  readonly stallMs: number | undefined;
  /** The same of reads. */
  readonly readStallMs: number | undefined;
  /** How many agents had a stall of more than a second. */
  readonly stalledAgents: number;
  /** From healing until the last of those stalls was over; 0 when all were over before. */
  readonly normalMs: number | undefined;
  /** What callers were told, as `CODE outcome`, and how often. */
  readonly refusals: Readonly<Record<string, number>>;
}

interface Gap {
  readonly ms: number;
  readonly endsAt: number;
}

/** What counts as a stall: far above what a turn takes, far below an election. */
const stallMsMin = 1_000;

/** Measures faults, each until the next one began, the last until the end. */
export function measureFaults(
  history: Pick<SeriesHistory, 'answers' | 'refusals'>,
  faults: readonly Fault[],
): MeasuredFault[] {
  return faults.map((fault, index) => {
    const until = faults[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    return measure(history, fault, until);
  });
}

function measure(
  { answers, refusals }: Pick<SeriesHistory, 'answers' | 'refusals'>,
  fault: Fault,
  until: number,
): MeasuredFault {
  const { at, healedAt } = fault;
  const within = answers.filter(answer => answer.at > at && answer.at <= until);
  const turns = within.filter(({ kind }) => kind === 'add');
  const gaps = longestGaps(turns, at);
  const stalls = gaps.filter(({ ms }) => ms > stallMsMin);
  const overAt = Math.max(...stalls.map(({ endsAt }) => endsAt));
  const reads = within.filter(({ kind }) => kind === 'count');
  return {
    ...fault,
    firstMs: turns[0] === undefined ? undefined : turns[0].at - at,
    stallMs: longest(gaps),
    readStallMs: longest(longestGaps(reads, at)),
    stalledAgents: stalls.length,
    normalMs: turns.length === 0 ? undefined : Math.max(0, overAt - healedAt),
    refusals: countsOf(refusals.filter(each => each.at > at && each.at <= until)),
  };
}

/** The longest time without an answer of each agent, from a moment on. */
function longestGaps(answers: readonly AnswerTime[], since: number): Gap[] {
  const gaps = new Map<string, Gap>();
  const last = new Map<string, number>();
  for (const { agent, at } of answers) {
    const ms = at - (last.get(agent) ?? since);
    last.set(agent, at);
    if (ms >= (gaps.get(agent)?.ms ?? 0)) gaps.set(agent, { ms, endsAt: at });
  }
  return [...gaps.values()];
}

function longest(gaps: readonly Gap[]): number | undefined {
  return gaps.length === 0 ? undefined : Math.max(...gaps.map(({ ms }) => ms));
}

function countsOf(refusals: readonly Refusal[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code, outcome } of refusals) {
    const name = `${code} ${outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
