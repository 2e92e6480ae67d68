/**
 * Every port with every engine that offers it: what `npm run laws` prints and the tests run. A new
 * engine is a line here; what it cannot keep is an exception with its reason.
 */
import { blobLaws } from '../../src/testing/blob-laws.ts';
import { busLaws } from '../../src/testing/bus-laws.ts';
import { clockLaws } from '../../src/testing/clock-laws.ts';
import type { DiskSubject } from '../../src/testing/disk-law-steps.ts';
import { diskLaws } from '../../src/testing/disk-laws.ts';
import { keyValueLaws } from '../../src/testing/key-value-laws.ts';
import type { LawSuite } from '../../src/testing/laws.ts';
import { linkLaws } from '../../src/testing/link-laws.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { logLaws } from '../../src/testing/log-laws.ts';
import { randomLaws } from '../../src/testing/random-laws.ts';
import { type AnySuite, anySuite } from './any-suite.ts';
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
import { natsModelSuites } from './nats-model-suites.ts';
import { natsSuites } from './nats-suites.ts';
import {
  openSimClock,
  openSimDisk,
  openSimRandom,
  openSystemClock,
  openSystemDisk,
  openSystemLink,
  openSystemRandom,
} from './system-subjects.ts';

/** The suites that need nothing but this machine, ports together. */
export const localSuites: readonly AnySuite[] = [
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

/** All suites. */
export const lawSuites: readonly AnySuite[] = [...localSuites, ...natsModelSuites, ...natsSuites];

function log(engine: string, open: LawSuite<LogSubject>['open']): AnySuite[] {
  return [anySuite({ port: 'Log', engine, laws: logLaws, open })];
}

function disk(engine: string, open: LawSuite<DiskSubject>['open']): AnySuite[] {
  return [anySuite({ port: 'Disk', engine, laws: diskLaws, open })];
}
