/** Somebody who answers. */
import type { NatsClient, NatsMessage } from '../../src/engines/nats/client.ts';

/** Answers on a subject with the same payload. */
export function echo(
  client: NatsClient,
  subject: string,
  onMessage?: (message: NatsMessage) => void,
): Promise<() => void> {
  return client.subscribe(subject, message => {
    onMessage?.(message);
    if (message.reply !== undefined) client.publish(message.reply, message.payload);
  });
}
