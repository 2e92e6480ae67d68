/** The ports that NATS servers offer, on each kind of servers that we run on. */
import { blobLaws } from '../../src/testing/blob-laws.ts';
import { busLaws } from '../../src/testing/bus-laws.ts';
import { keyValueLaws } from '../../src/testing/key-value-laws.ts';
import { logLaws } from '../../src/testing/log-laws.ts';
import { type AnySuite, anySuite } from './any-suite.ts';
import { openNatsBlobs, openNatsBuses, openNatsKeyValues } from './nats-other-subjects.ts';
import { type NatsKind, newestR1, newestR3, oldestR1, openNatsLogs } from './nats-subjects.ts';

const kinds: Readonly<Record<string, NatsKind>> = {
  'NATS newest, R1': newestR1,
  'NATS newest, R3': newestR3,
  'NATS 2.9.10, R1': oldestR1,
};

/** The suites on real servers. Whoever runs them stops the servers in the end. */
export const natsSuites: readonly AnySuite[] = Object.entries(kinds).flatMap(([engine, kind]) => [
  anySuite({ port: 'Log', engine, laws: logLaws, open: () => openNatsLogs(kind) }),
  anySuite({ port: 'KeyValue', engine, laws: keyValueLaws, open: () => openNatsKeyValues(kind) }),
  anySuite({ port: 'Bus', engine, laws: busLaws, open: () => openNatsBuses(kind) }),
  anySuite({ port: 'Blob', engine, laws: blobLaws, open: () => openNatsBlobs(kind) }),
]);
