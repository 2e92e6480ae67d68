/**
 * What machines ask a node: is it alive, does it take work, what does it count. The gauges that
 * nobody keeps up to date are set when somebody looks.
 */
import type { Hono } from 'hono';
import type { NodeFace } from '../node/face.ts';
import type { Timer } from '../ports/clock.ts';
import { LagMeter } from '../telemetry/lag.ts';
import { prometheusContentType, renderPrometheus } from '../telemetry/prometheus.ts';

/** Adds `/livez` and `/readyz`, which need no token: they tell one word. */
export function addHealthRoutes(app: Hono, face: NodeFace): void {
  app.get('/livez', context => context.json({ status: 'live' }));
  app.get('/readyz', context => {
    const { standing } = face.standing();
    return context.json({ status: standing }, standing === 'ready' ? 200 : 503);
  });
}

/** Adds `/metrics`. */
export function addMetricsRoute(app: Hono, { node }: NodeFace): void {
  app.get('/metrics', context =>
    context.body(renderPrometheus(node.metrics.registry), 200, {
      'content-type': prometheusContentType,
    }),
  );
}

/** Begins to measure what only somebody who looks wants to know. Returns the way to stop. */
export function startGauges(face: NodeFace, heapBytes: () => number): () => void {
  const { node } = face;
  const { clock } = node.kernel;
  const { registry } = node.metrics;
  const lag = new LagMeter(clock.monotonic());
  let timer: Timer | undefined;
  const tick = () => {
    lag.tick(clock.monotonic());
    timer = clock.setTimer(lag.intervalMs, tick);
  };
  timer = clock.setTimer(lag.intervalMs, tick);
  const gauge = (name: string, help: string) => registry.gauge({ name, help });
  const lagSeconds = gauge(
    'troupe_event_loop_lag_seconds',
    'The longest that the event loop was blocked, of the last ten seconds.',
  ).with();
  const heap = gauge('troupe_heap_bytes', 'Bytes of heap in use.').with();
  const failed = gauge('troupe_engine_failed', '1 when the storage engine failed for good.').with();
  const collectAgents = agentGauges(face);
  registry.onCollect(() => {
    lagSeconds.set(lag.maxMs() / 1_000);
    heap.set(heapBytes());
    failed.set(face.standing().failure === undefined ? 0 : 1);
    collectAgents();
  });
  return () => timer?.cancel();
}

function agentGauges({ node }: NodeFace): () => void {
  const { registry } = node.metrics;
  const labels = ['type'] as const;
  const residents = registry.gauge({
    name: 'troupe_resident_agents',
    help: 'Agents in memory.',
    labels,
  });
  const waiting = registry.gauge({
    name: 'troupe_waiting_messages',
    help: 'Messages that wait in the mailboxes of agents in memory.',
    labels,
  });
  return () => {
    const counts = new Map<string, { agents: number; messages: number }>();
    for (const { contract, isHosted } of node.kernel.router.types()) {
      if (isHosted) counts.set(contract.type, { agents: 0, messages: 0 });
    }
    for (const { address, waiting } of node.residents.all()) {
      const count = counts.get(address.slice(0, address.indexOf('/')));
      if (count === undefined) continue;
      count.agents += 1;
      count.messages += waiting;
    }
    for (const [type, { agents, messages }] of counts) {
      residents.with(type).set(agents);
      waiting.with(type).set(messages);
    }
  };
}
