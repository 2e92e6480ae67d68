/** Waiting for what becomes of a connection. */
import type { NatsClient, NatsStatus } from '../../src/engines/nats/client.ts';

/** Resolves when the connection has that status. */
export function reached(client: NatsClient, wanted: NatsStatus): Promise<void> {
  if (client.status === wanted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = client.onStatus(status => {
    if (status !== wanted) return;
    stop();
    resolve();
  });
  return promise;
}
