/**
 * Keeps book of the step bodies that this process ran. A step that is finished although no body ran
 * here was found finished on restart. With `AUDIT_STEP_BOOK=FILE` each start and end, and each
 * answer that came of them, is also appended to a file outside Troupe, so that a test can see what
 * ran twice.
 */
import { appendFileSync } from 'node:fs';

const book = process.env.AUDIT_STEP_BOOK;
let bodiesFinished = 0;

/** Runs the body of a step and books it under `who`, a name that no other step has. */
export async function booked<Value>(who: string, body: () => Promise<Value>): Promise<Value> {
  note(`start ${who}`);
  const value = await body();
  note(`end ${who}`);
  bodiesFinished += 1;
  return value;
}

/** Books that an answer was seen: `AUDIT FOLDER` for one package, `AUDIT` for the whole. */
export function bookAnswer(what: string): void {
  note(`answered ${what}`);
}

/** How many bodies this process has finished. */
export function bodiesFinishedHere(): number {
  return bodiesFinished;
}

function note(line: string): void {
  if (book !== undefined) appendFileSync(book, `${line}\n`);
}
