/**
 * Laws: what every engine of a port has to keep, as data without a test runner, so that anybody can
 * check an engine of their own. A law gets a subject that was opened for it alone and rejects when
 * the law is broken. What a subject need not be able to do (to be opened again, say) is an optional
 * member of it; a law that cannot do without names that member.
 */
import { textOf } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** A rule that each engine of a port keeps. */
export interface Law<Subject> {
  readonly name: string;
  /** The optional members of the subject without which the law cannot be checked. */
  readonly needs?: readonly (keyof Subject & string)[] | undefined;
  /** Rejects when the law is broken. */
  run(subject: Subject): Promise<void>;
}

/** A law that an engine does not keep, and why that is right. */
export interface LawException {
  readonly law: string;
  readonly reason: string;
}

/** The laws of a port and an engine that is to keep them. */
export interface LawSuite<Subject> {
  readonly port: string;
  readonly engine: string;
  readonly laws: readonly Law<Subject>[];
  readonly exceptions?: readonly LawException[] | undefined;
  /** Opens a fresh subject. It is disposed of when its law has run. */
  open(): Promise<Subject & AsyncDisposable>;
}

/** What became of one law on one engine. */
export type LawResult =
  | { readonly law: string; readonly status: 'held' }
  | { readonly law: string; readonly status: 'excepted'; readonly reason: string }
  | { readonly law: string; readonly status: 'broken'; readonly reason: string };

/** How long a law may take before it counts as broken. */
const lawMsMax = 60_000;

/** Checks all laws of a suite, one after the other. The clock bounds each of them. */
export async function checkLaws<Subject>(
  suite: LawSuite<Subject>,
  clock: Clock,
): Promise<LawResult[]> {
  const results: LawResult[] = strayExceptions(suite);
  for (const law of suite.laws) results.push(await checkLaw(suite, law, clock));
  return results;
}

/** Checks one law of a suite. The clock bounds it. */
export async function checkLaw<Subject>(
  suite: LawSuite<Subject>,
  law: Law<Subject>,
  clock: Clock,
): Promise<LawResult> {
  const exception = suite.exceptions?.find(each => each.law === law.name);
  if (exception !== undefined) {
    return { law: law.name, status: 'excepted', reason: exception.reason };
  }
  try {
    await within(clock, runLaw(suite, law), lawMsMax);
    return { law: law.name, status: 'held' };
  } catch (error) {
    return { law: law.name, status: 'broken', reason: textOf(error) };
  }
}

async function runLaw<Subject>(suite: LawSuite<Subject>, law: Law<Subject>): Promise<void> {
  await using subject = await suite.open();
  const missing = law.needs?.find(member => subject[member] === undefined);
  if (missing !== undefined) {
    throw new Error(`it needs "${missing}", which the subject does not offer; say why it cannot`);
  }
  await law.run(subject);
}

/**
 * An exception for a law that does not exist hides nothing yet, but would when one gets its name.
 */
function strayExceptions<Subject>(suite: LawSuite<Subject>): LawResult[] {
  const names = new Set(suite.laws.map(law => law.name));
  return (suite.exceptions ?? [])
    .filter(exception => !names.has(exception.law))
    .map(({ law }) => ({ law, status: 'broken', reason: 'an exception for a law there is not' }));
}

/** The promise, or a rejection when it takes too long. */
export function within<Value>(
  clock: Clock,
  promise: Promise<Value>,
  timeoutMs = 10_000,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      reject(new Error(`nothing happened within ${timeoutMs} ms`));
    });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
