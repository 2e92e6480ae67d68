/** The ports that NATS servers offer, on each kind of servers that we run on. */
import { logLaws } from '../../src/testing/log-laws.ts';
import { type AnySuite, anySuite } from './any-suite.ts';
import { type NatsKind, newestR1, newestR3, oldestR1, openNatsLogs } from './nats-subjects.ts';

const kinds: Readonly<Record<string, NatsKind>> = {
  'NATS newest, R1': newestR1,
  'NATS newest, R3': newestR3,
  'NATS 2.9.10, R1': oldestR1,
};

/** The suites on real servers. Whoever runs them stops the servers in the end. */
export const natsSuites: readonly AnySuite[] = Object.entries(kinds).flatMap(([engine, kind]) => [
  anySuite({ port: 'Log', engine, laws: logLaws, open: () => openNatsLogs(kind) }),
]);
