/** Reads: they see the last accepted state, at once, between turns. */
import { TroupeError } from '../core/errors.ts';
import { actionOf } from './action.ts';
import { administerRead } from './administration-reads.ts';
import { isAdministrative } from './administrative.ts';
import { isThenable } from './answer.ts';
import { failureOf } from './failure.ts';
import type { Handler } from './implementation.ts';
import type { MailboxItem } from './item.ts';
import type { LiveAgent } from './live-agent.ts';
import { leaseLapsed, mayAnswer } from './may-answer.ts';
import { copyPayload } from './payload.ts';
import { ReadContext } from './read-context.ts';
import { parseWith } from './schema.ts';

/** Answers a read with what its handler makes of the accepted state. */
export function answerRead(agent: LiveAgent, item: MailboxItem, handler: Handler): void {
  const { envelope } = item;
  if (isAdministrative(envelope.action)) {
    administerRead(agent, item);
    return;
  }
  const { contract, host, position } = agent;
  const startedAt = host.clock.monotonic();
  const place = `${contract.type}.${envelope.action}`;
  const done = (value: unknown) => {
    if (!mayAnswer(host)) throw leaseLapsed(agent.address);
    const { output: schema } = actionOf(contract, envelope.action);
    const output =
      schema === undefined
        ? undefined
        : parseWith(schema, value, `${place} output`, 'OUTPUT_INVALID');
    const copy = copyPayload(output, contract, `${agent.address}.${envelope.action}: output`);
    item.resolve({ value: copy, ...position });
    host.observe(envelope, 'read', startedAt, undefined);
  };
  const failed = (thrown: unknown) => {
    const error = mayAnswer(host)
      ? failureOf(thrown, `${agent.address}.${envelope.action}`)
      : leaseLapsed(agent.address);
    host.observe(envelope, 'read', startedAt, error);
    item.reject(error);
  };
  // By the clock that nobody sets.
  if (startedAt - item.arrivedAt >= envelope.deadline - envelope.firstAttemptAt) {
    const error = tooLate(agent, item);
    host.observe(envelope, 'read', startedAt, error);
    item.reject(error);
    return;
  }
  try {
    const shape = actionOf(contract, envelope.action);
    const input = parseWith(shape.input, envelope.input, place, 'INVALID_INPUT');
    const result = handler(new ReadContext(agent, envelope, agent.acceptedState), input);
    if (isThenable(result)) result.then(done).then(undefined, failed);
    else done(result);
  } catch (error) {
    failed(error);
  }
}

function tooLate(agent: LiveAgent, { envelope }: MailboxItem): TroupeError {
  return new TroupeError('DEADLINE_EXCEEDED', {
    detail: `${agent.address}.${envelope.action} waited until its deadline had passed`,
    outcome: 'not-executed',
  });
}
