/** Topics on the bus: values in, values out, at most once, to whoever listens now. */
import { TroupeError, textOf } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { decodeValue, encodeValue } from '../state/codec.ts';
import type { KernelSource } from './kernel.ts';
import type { TopicBus, TopicMeta } from './troupe.ts';

/** The topics of a node. */
export function topicBus(kernel: KernelSource): TopicBus {
  return {
    subscribe(pattern: string, listener: (data: never, meta: TopicMeta) => void) {
      const { bus, logger } = kernel();
      let isStopped = false;
      const stopping = bus.subscribe(pattern, ({ topic, payload }) => {
        if (isStopped) return;
        const [data, at] = decodeValue(payload) as [never, number];
        try {
          listener(data, { topic, at: new Date(at) });
        } catch (error) {
          logger.error('a topic listener threw', { topic, error: textOf(error) });
        }
      });
      stopping.catch(error =>
        logger.error('a subscription failed', { pattern, error: textOf(error) }),
      );
      return () => {
        isStopped = true;
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
