/** Every port of the NATS engine on the model of its servers: one test a law. */
import { checkSuite } from './check-suite.ts';
import { natsModelSuites } from './nats-model-suites.ts';

for (const suite of natsModelSuites) checkSuite(suite);
