/** A suite of laws with its subject hidden, so that suites of all ports stand in one list. */
import { systemClock } from '../../src/engines/system/clock.ts';
import { checkLaw, checkLaws, type LawResult, type LawSuite } from '../../src/testing/laws.ts';

/** A suite of whatever port, with its subject hidden. */
export interface AnySuite {
  readonly port: string;
  readonly engine: string;
  readonly lawNames: readonly string[];
  /** Checks one law by its name. */
  check(lawName: string): Promise<LawResult>;
  /** Checks them all. */
  checkAll(): Promise<LawResult[]>;
}

/** Hides the subject of a suite. */
export function anySuite<Subject>(suite: LawSuite<Subject>): AnySuite {
  const clock = systemClock();
  return {
    port: suite.port,
    engine: suite.engine,
    lawNames: suite.laws.map(law => law.name),
    async check(lawName) {
      const law = suite.laws.find(each => each.name === lawName);
      if (law === undefined) return { law: lawName, status: 'broken', reason: 'no such law' };
      return checkLaw(suite, law, clock);
    },
    checkAll: () => checkLaws(suite, clock),
  };
}
