/** The ports that the NATS engine offers, on the simulator's model of each kind of servers. */
import { blobLaws } from '../../src/testing/blob-laws.ts';
import { busLaws } from '../../src/testing/bus-laws.ts';
import { keyValueLaws } from '../../src/testing/key-value-laws.ts';
import { logLaws } from '../../src/testing/log-laws.ts';
import { type AnySuite, anySuite } from './any-suite.ts';
import {
  type NatsModelKind,
  openModelBlobs,
  openModelBuses,
  openModelKeyValues,
  openModelLogs,
} from './nats-model-subjects.ts';

const kinds: Readonly<Record<string, NatsModelKind>> = {
  'NATS model, R1': { version: '2.15.1', replicas: 1 },
  'NATS model, R3': { version: '2.15.1', replicas: 3 },
  'NATS model of 2.9.10, R1': { version: '2.9.10', replicas: 1 },
};

/** The suites on the model. */
export const natsModelSuites: readonly AnySuite[] = Object.entries(kinds).flatMap(
  ([engine, kind]) => [
    anySuite({ port: 'Log', engine, laws: logLaws, open: () => openModelLogs(kind) }),
    anySuite({
      port: 'KeyValue',
      engine,
      laws: keyValueLaws,
      open: () => openModelKeyValues(kind),
    }),
    anySuite({ port: 'Bus', engine, laws: busLaws, open: () => openModelBuses(kind) }),
    anySuite({ port: 'Blob', engine, laws: blobLaws, open: () => openModelBlobs(kind) }),
  ],
);
