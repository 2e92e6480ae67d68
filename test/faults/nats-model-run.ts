/** Sends the steps to whatever servers a client is connected to, and notes what comes back. */
import type { NatsClient, NatsMessage } from '../../src/engines/nats/client.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ModelStep } from './nats-model-steps.ts';

const silenceMs = 40;

/** What came back for each step, without what differs from server to server. */
export async function runModelSteps(
  client: NatsClient,
  clock: Clock,
  steps: readonly ModelStep[],
): Promise<unknown[]> {
  const results: unknown[] = [];
  // Somebody has to listen for what a consumer sends.
  await client.subscribe('deliver.>', () => undefined);
  for (const step of steps) {
    const answer = step.isMany === true ? await many(client, clock, step) : await one(client, step);
    results.push({ step, answer });
  }
  return results;
}

async function one(client: NatsClient, step: ModelStep): Promise<unknown> {
  const { subject, headers } = step;
  const reply = await client.request(subject, bytesOf(step), { timeoutMs: 500, headers });
  return reply.status === 'answered' ? formOf(reply.message) : reply.status;
}

async function many(client: NatsClient, clock: Clock, step: ModelStep): Promise<unknown> {
  const messages: unknown[] = [];
  const inbox = client.inbox();
  const stop = await client.subscribe(inbox, message => messages.push(formOf(message)));
  client.publish(step.subject, bytesOf(step), { reply: inbox });
  for (let count = -1; count < messages.length; ) {
    count = messages.length;
    await new Promise<void>(resolve => clock.setTimer(silenceMs, resolve));
  }
  stop();
  return messages;
}

function bytesOf({ body = '' }: ModelStep): Uint8Array {
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}

function formOf({ payload, headers, status }: NatsMessage): unknown {
  const text = new TextDecoder().decode(payload);
  const { 'Nats-Time-Stamp': _, ...rest } = headers;
  return { status, headers: rest, body: text.startsWith('{') ? plain(JSON.parse(text)) : text };
}

// Times, names of servers, counters of requests, and what only some versions explain.
const changing = new Set([
  ...['created', 'ts', 'first_ts', 'last_ts', 'time', 'last_active', 'description'],
  ...['api', 'storage', 'metadata', 'leader', 'ack_floor', 'push_bound'],
]);

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => {
    // A stream's kind of storage is not what an account has stored.
    return !changing.has(name) || typeof (value as Record<string, unknown>).retention === 'string';
  });
  return Object.fromEntries(
    entries
      .filter(([name]) => name !== 'metadata')
      // Who leads and how far the others are changes while one looks; that it is told does not.
      .map(([name, each]) => [name, name === 'cluster' ? 'told' : plain(each)]),
  );
}
