/** Topics on the bus: values in, values out, at most once, to whoever listens now. */
import { TroupeError, textOf } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { decodeValue, encodeValue } from '../state/codec.ts';
import type { KernelSource } from './kernel.ts';
import { ListenerQueue } from './listener-queue.ts';
import type { TopicBus, TopicMeta } from './troupe.ts';

/** The topics of a node. */
export function topicBus(kernel: KernelSource): TopicBus {
  return {
    subscribe(pattern: string, listener: (data: never, meta: TopicMeta) => void) {
      const { bus, logger, clock, limits } = kernel();
      let isStopped = false;
      const queue = new ListenerQueue<readonly [topic: string, payload: Uint8Array]>({
        clock,
        logger,
        queueMax: limits.listenerQueueMax,
        name: `topic ${pattern}`,
        tell: ([topic, payload]) => {
          if (isStopped) return;
          const [data, at] = decodeValue(payload) as [never, number];
          listener(data, { topic, at: new Date(at) });
        },
      });
      const stopping = bus.subscribe(pattern, ({ topic, payload }) => queue.push([topic, payload]));
      stopping.catch(error =>
        logger.error('a subscription failed', { pattern, error: textOf(error) }),
      );
      return () => {
        isStopped = true;
        queue.clear();
        stopping.then(
          stop => stop(),
          () => undefined,
        );
      };
    },
    async publish(topic, data) {
      const { bus, clock } = kernel();
      if (topic.startsWith('agent.')) {
        throw new TroupeError('INVALID_INPUT', {
          detail: `topic "${topic}": what begins with "agent." is published by the runtime`,
        });
      }
      await bus.publish(topic, encodeValue([copyValue(data, `topic ${topic}`), clock.now()]));
    },
  };
}
