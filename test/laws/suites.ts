/**
 * Every port with every engine that offers it: what `npm run laws` prints and the tests run. A new
 * engine is a line here; what it cannot keep is an exception with its reason.
 */
import { systemClock } from '../../src/engines/system/clock.ts';
import { blobLaws } from '../../src/testing/blob-laws.ts';
import { busLaws } from '../../src/testing/bus-laws.ts';
import { clockLaws } from '../../src/testing/clock-laws.ts';
import type { DiskSubject } from '../../src/testing/disk-law-steps.ts';
import { diskLaws } from '../../src/testing/disk-laws.ts';
import { keyValueLaws } from '../../src/testing/key-value-laws.ts';
import { checkLaw, checkLaws, type LawResult, type LawSuite } from '../../src/testing/laws.ts';
import { linkLaws } from '../../src/testing/link-laws.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { logLaws } from '../../src/testing/log-laws.ts';
import { randomLaws } from '../../src/testing/random-laws.ts';
import {
  openEmbeddedBlobs,
  openEmbeddedHere,
  openEmbeddedInWorker,
  openEmbeddedKeyValues,
  openEmbeddedSimulated,
} from './embedded-subjects.ts';
import {
  openMemoryBlob,
  openMemoryBus,
  openMemoryKeyValue,
  openMemoryLink,
  openMemoryLog,
} from './memory-subjects.ts';
import {
  openSimClock,
  openSimDisk,
  openSimRandom,
  openSystemClock,
  openSystemDisk,
  openSystemLink,
  openSystemRandom,
} from './system-subjects.ts';

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
  ...log('memory', openMemoryLog),
  ...log('embedded', openEmbeddedHere),
  ...log('embedded, worker', openEmbeddedInWorker),
  ...log('embedded, simulated', openEmbeddedSimulated),
  anySuite({ port: 'KeyValue', engine: 'memory', laws: keyValueLaws, open: openMemoryKeyValue }),
  anySuite({
    port: 'KeyValue',
    engine: 'embedded',
    laws: keyValueLaws,
    open: openEmbeddedKeyValues,
  }),
  anySuite({ port: 'Bus', engine: 'memory', laws: busLaws, open: openMemoryBus }),
  anySuite({ port: 'Blob', engine: 'memory', laws: blobLaws, open: openMemoryBlob }),
  anySuite({ port: 'Blob', engine: 'embedded', laws: blobLaws, open: openEmbeddedBlobs }),
  anySuite({ port: 'Link', engine: 'memory', laws: linkLaws, open: openMemoryLink }),
  anySuite({ port: 'Link', engine: 'system', laws: linkLaws, open: openSystemLink }),
  ...disk('system', () => openSystemDisk(false)),
  ...disk('system, blocking', () => openSystemDisk(true)),
  ...disk('simulated', openSimDisk),
  anySuite({ port: 'Clock', engine: 'system', laws: clockLaws, open: openSystemClock }),
  anySuite({ port: 'Clock', engine: 'simulated', laws: clockLaws, open: openSimClock }),
  anySuite({ port: 'Random', engine: 'system', laws: randomLaws, open: openSystemRandom }),
  anySuite({ port: 'Random', engine: 'simulated', laws: randomLaws, open: openSimRandom }),
];

function log(engine: string, open: LawSuite<LogSubject>['open']): AnySuite[] {
  return [anySuite({ port: 'Log', engine, laws: logLaws, open })];
}

function disk(engine: string, open: LawSuite<DiskSubject>['open']): AnySuite[] {
  return [anySuite({ port: 'Disk', engine, laws: diskLaws, open })];
}

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
