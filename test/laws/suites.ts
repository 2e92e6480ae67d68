/**
 * Every port with every engine that offers it: what `npm run laws` prints and the tests run. A new
 * engine is a line here; what it cannot keep is an exception with its reason.
 */
import { systemClock } from '../../src/engines/system/clock.ts';
import { checkLaw, checkLaws, type LawResult, type LawSuite } from '../../src/testing/laws.ts';
import { logLaws } from '../../src/testing/log-laws.ts';
import { openEmbeddedLogSubject, openMemoryLogSubject } from './log-subjects.ts';

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

/** The suites, ports together. */
export const lawSuites: readonly AnySuite[] = [
  anySuite({ port: 'Log', engine: 'memory', laws: logLaws, open: openMemoryLogSubject }),
  anySuite({ port: 'Log', engine: 'embedded', laws: logLaws, open: openEmbeddedLogSubject }),
];

function anySuite<Subject>(suite: LawSuite<Subject>): AnySuite {
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
