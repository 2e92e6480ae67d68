/**
 * What does it cost to measure? Nanoseconds of one recording: counters, histograms, trace contexts
 * and breakers run in every call, so their price decides whether they can stay on.
 */
import { backoffMs } from '../src/resilience/backoff.ts';
import { CircuitBreaker } from '../src/resilience/circuit-breaker.ts';
import { MetricsRegistry } from '../src/telemetry/metrics.ts';
import { Tracer } from '../src/telemetry/spans.ts';
import { answerAsProbe, isQuick, type Sample } from './measure.ts';

const times = isQuick ? 500_000 : 5_000_000;

function nanoseconds(work: (index: number) => unknown): number {
  for (let index = 0; index < 200_000; index++) work(index);
  const startedAt = performance.now();
  for (let index = 0; index < times; index++) work(index);
  return ((performance.now() - startedAt) * 1e6) / times;
}

async function recording(): Promise<Sample> {
  const registry = new MetricsRegistry();
  const counter = registry.counter({ name: 'a_total', help: 'A.' }).with();
  const histogram = registry.histogram({ name: 'b_seconds', help: 'B.' }).with();
  const labelled = registry.counter({ name: 'c_total', help: 'C.', labels: ['type', 'action'] });
  const tracer = new Tracer({ seed: '0123456789abcdef0123456789abcdef' });
  const parent = tracer.context();
  const breaker = new CircuitBreaker();
  const inputs = { nowMs: 0, random: 0.5 };
  return {
    'record-counter': nanoseconds(() => counter.add()),
    'record-histogram': nanoseconds(index => histogram.record((index & 1023) * 0.37)),
    'labels-ns': nanoseconds(() => labelled.with('account', 'move').add()),
    'trace-ns': nanoseconds(() => tracer.context()),
    'child-span-ns': nanoseconds(() => tracer.context(parent)),
    'breaker-ns': nanoseconds(() => {
      const answer = breaker.admit(0, 0.5);
      if (answer.isAdmitted) breaker.settle(answer.ticket, 'succeeded', inputs);
    }),
    'backoff-ns': nanoseconds(index => backoffMs(index & 15, 0.5)),
  };
}

if (import.meta.main) {
  await answerAsProbe({ telemetry: recording });
}
