/**
 * Reads the book that the audit's step bodies keep outside Troupe, with a line `kill` after each
 * process that was killed, and tells what should not have run.
 */

/** What the book says. */
export interface StepBook {
  /** Bodies of the last audit that began again after a kill: each had been cut off. */
  readonly repeated: number;
  /** Bodies of the last audit that ran to their end at least once, by the name of their step. */
  readonly finished: Readonly<Record<string, number>>;
  /** Runs that a promise forbids. */
  readonly complaints: readonly string[];
}

const order = ['list', 'read', 'measure', 'recognise'];

/**
 * Checks the lines of a book: `start AUDIT STEP FOLDER`, `end AUDIT STEP FOLDER`, `answered AUDIT
 * FOLDER` for a package, `answered AUDIT` for the whole audit, and `kill`.
 */
export function checkStepBook(text: string): StepBook {
  const book = new Reading();
  for (const line of text.split('\n')) book.take(line);
  return { repeated: book.repeated, finished: book.finished, complaints: book.complaints };
}

/** A book, read so far. */
class Reading {
  readonly complaints: string[] = [];
  repeated = 0;
  finished: Record<string, number> = {};
  readonly #begun = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #begunInThisLife = new Set<string>();
  /** Packages and audits whose answers were seen, and audits of which a package was begun. */
  readonly #answered = new Set<string>();
  readonly #listed = new Set<string>();
  #audit = '';

  take(line: string): void {
    const [mark = '', audit = '', ...rest] = line.split(' ');
    const [name = '', ...folder] = rest;
    if (mark === 'kill') this.#begunInThisLife.clear();
    if (mark === 'answered') this.#answered.add([audit, ...rest].join(' '));
    if (mark !== 'start' && mark !== 'end') return;
    this.#turnTo(audit);
    if (mark === 'start') this.#begin({ audit, name, folder: folder.join(' ') });
    else this.#end(audit, name, rest.join(' '));
  }

  #turnTo(audit: string): void {
    if (audit === this.#audit) return;
    this.#audit = audit;
    this.repeated = 0;
    this.finished = {};
  }

  #begin(step: Step): void {
    const { audit, name, folder } = step;
    const text = `${audit} ${name} ${folder}`;
    if (this.#begunInThisLife.has(text)) this.complaints.push(`${text} began twice in one process`);
    if (this.#isBuiltOn(step)) this.complaints.push(`${text} began after what awaited it`);
    if (this.#answered.has(`${audit} ${folder}`) || this.#answered.has(audit))
      this.complaints.push(`${text} began after it was answered`);
    this.repeated += Number(this.#begun.has(text));
    this.#begun.add(text);
    this.#begunInThisLife.add(text);
    if (name !== 'list') this.#listed.add(audit);
  }

  #end(audit: string, name: string, step: string): void {
    if (this.#ended.has(`${audit} ${step}`)) return;
    this.#ended.add(`${audit} ${step}`);
    this.finished[name] = (this.finished[name] ?? 0) + 1;
  }

  /**
   * Whether the next step of the same package, or for a list any package of the audit, has begun.
   */
  #isBuiltOn({ audit, name, folder }: Step): boolean {
    if (name === 'list') return this.#listed.has(audit);
    const next = order[order.indexOf(name) + 1];
    return next !== undefined && this.#begun.has(`${audit} ${next} ${folder}`);
  }
}

interface Step {
  readonly audit: string;
  readonly name: string;
  readonly folder: string;
}
