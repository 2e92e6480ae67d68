/** Every port on real NATS servers: one test a law. */
import { afterAll } from 'vitest';
import { checkSuite } from './check-suite.ts';
import { stopNatsServers } from './nats-subjects.ts';
import { natsSuites } from './nats-suites.ts';

for (const suite of natsSuites) checkSuite(suite);

afterAll(stopNatsServers);
