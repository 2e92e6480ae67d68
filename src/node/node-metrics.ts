/** The metrics and spans of one node: what is counted, and under which names. */
import type { Envelope } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import { type Counter, MetricsRegistry } from '../telemetry/metrics.ts';
import type { Tracer } from '../telemetry/spans.ts';

interface ActionMetrics {
  readonly handled: Counter;
  readonly duration: Histogram;
}

/** Counts what a node does. */
export class NodeMetrics {
  readonly registry: MetricsRegistry = new MetricsRegistry();
  readonly #clock: Clock;
  readonly #tracer: Tracer;
  readonly #actions = new Map<string, Map<string, ActionMetrics>>();
  readonly #handled;
  readonly #failures;
  readonly #duration;
  readonly #runs;
  readonly #steps;
  readonly #lifecycle;

  constructor(clock: Clock, tracer: Tracer) {
    this.#clock = clock;
    this.#tracer = tracer;
    const { registry } = this;
    this.#handled = registry.counter({
      name: 'troupe_messages_total',
      help: 'Messages handled.',
      labels: ['type', 'action'],
    });
    this.#failures = registry.counter({
      name: 'troupe_failures_total',
      help: 'Messages that failed, by error code.',
      labels: ['type', 'action', 'code'],
    });
    this.#duration = registry.histogram({
      name: 'troupe_action_duration_seconds',
      help: 'Time from the beginning of a turn or read to its decision.',
      labels: ['type', 'action'],
    });
    this.#runs = registry.counter({
      name: 'troupe_runs_total',
      help: 'Tasks that ended, by how.',
      labels: ['type', 'action', 'reason'],
    });
    this.#steps = registry.counter({
      name: 'troupe_steps_total',
      help: 'Steps: finished, found finished on resuming, or run again because they were cut off.',
      labels: ['type', 'action', 'reason'],
    });
    this.#lifecycle = registry.counter({
      name: 'troupe_lifecycle_total',
      help: 'Moments in the lives of agents.',
      labels: ['reason'],
    });
  }

  /** Notes a handled message; returns how many milliseconds it took. */
  observe(
    envelope: Envelope,
    kind: string,
    startedAt: number,
    error: TroupeError | undefined,
  ): number {
    const { type, action, trace } = envelope;
    const metrics = this.#actions.get(type)?.get(action) ?? this.#open(type, action);
    const durationMs = this.#clock.monotonic() - startedAt;
    metrics.handled.add();
    metrics.duration.record(durationMs);
    if (error !== undefined) this.#failures.with(type, action, error.code).add();
    if (trace?.isSampled !== true) return durationMs;
    this.#tracer.record({
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId: undefined,
      name: `${kind} ${type}.${action}`,
      startedAt: this.#clock.now() - durationMs,
      durationMs,
      errorCode: error?.code,
      attributes: { agent: `${type}/${envelope.key}`, message: envelope.id },
    });
    return durationMs;
  }

  /** Notes the end of a run. */
  observeRun(type: string, action: string, isOk: boolean): void {
    this.#runs.with(type, action, isOk ? 'done' : 'failed').add();
  }

  /** Notes a step. */
  observeStep(type: string, name: string, what: string): void {
    this.#steps.with(type, name, what).add();
  }

  /** Notes a moment in the life of an agent. */
  lifecycle(kind: string): void {
    this.#lifecycle.with(kind).add();
  }

  /** How many messages were handled, and what became of steps: for reports. */
  totals(): { readonly messages: number; readonly steps: ReadonlyMap<string, number> } {
    let messages = 0;
    for (const { metric } of this.#handled.series()) messages += metric.value;
    const steps = new Map<string, number>();
    for (const { labelValues, metric } of this.#steps.series())
      steps.set(labelValues.join(' '), metric.value);
    return { messages, steps };
  }

  #open(type: string, action: string): ActionMetrics {
    const metrics = {
      handled: this.#handled.with(type, action),
      duration: this.#duration.with(type, action),
    };
    const actions = this.#actions.get(type) ?? new Map<string, ActionMetrics>();
    this.#actions.set(type, actions.set(action, metrics));
    return metrics;
  }
}
