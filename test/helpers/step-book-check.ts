/**
 * Reads the book that the audit's step bodies keep outside Troupe, with a line `kill` after each
 * process that was killed, and tells what should not have run.
 */

/** What the book says. */
export interface StepBook {
  /** Bodies that began again after a kill: each is one that had been cut off. */
  readonly repeated: number;
  /** Bodies that ran to their end at least once, by the name of their step. */
  readonly finished: Readonly<Record<string, number>>;
  /** Runs that a promise forbids. */
  readonly complaints: readonly string[];
}

const order = ['list', 'read', 'measure', 'recognise'];

/** Checks the lines of a book: `start AUDIT STEP FOLDER`, `end AUDIT STEP FOLDER`, `kill`. */
export function checkStepBook(text: string): StepBook {
  const complaints: string[] = [];
  const begun = new Set<string>();
  const ended = new Set<string>();
  const begunInThisLife = new Set<string>();
  let repeated = 0;
  const begin = (step: string) => {
    if (begunInThisLife.has(step)) complaints.push(`${step} began twice in one process`);
    if (dependentHasBegun(step, begun)) complaints.push(`${step} began after what awaited it`);
    repeated += Number(begun.has(step));
    begun.add(step);
    begunInThisLife.add(step);
  };
  for (const [mark, step] of entriesIn(text)) {
    if (mark === 'start') begin(step);
    if (mark === 'end') ended.add(step);
    if (mark === 'kill') begunInThisLife.clear();
  }
  return { repeated, finished: countByName(ended), complaints };
}

function entriesIn(text: string): [mark: string, step: string][] {
  const lines = text.split('\n').filter(line => line !== '');
  return lines.map(line => {
    const [mark = '', ...step] = line.split(' ');
    return [mark, step.join(' ')];
  });
}

/** Whether the next step of the same package, or for a list any package of the audit, has begun. */
function dependentHasBegun(step: string, begun: ReadonlySet<string>): boolean {
  const [audit = '', name = '', ...folder] = step.split(' ');
  const next = order[order.indexOf(name) + 1];
  if (next === undefined) return false;
  if (name !== 'list') return begun.has([audit, next, ...folder].join(' '));
  return [...begun].some(other => other.startsWith(`${audit} ${next} `));
}

function countByName(steps: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const step of steps) {
    const name = step.split(' ')[1] ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
