/**
 * The references that contexts hand out: to reads of other agents in turns and reads, to all
 * actions in tasks. They check the input where it is written, so that the error names the right
 * line.
 */
import { addressOf } from '../core/address.ts';
import { type Duration, durationMs } from '../core/duration.ts';
import type { Envelope, Priority, Reply } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { actionOf } from './action.ts';
import { checkNames, noOptions, priorityOf } from './call-options.ts';
import type { Contract } from './contract.ts';
import type { MessageHost } from './message.ts';
import { copyPayload } from './payload.ts';
import { parseWith } from './schema.ts';

/** How a call from inside an agent is carried out. */
export type Execute = (call: InnerCall) => Promise<Reply>;

/** A call from inside an agent. */
export interface InnerCall {
  readonly contract: Contract;
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly priority: Priority;
  readonly timeoutMs: number | undefined;
  /** Only in tasks: the identity of the call. */
  readonly stepKey: string | undefined;
}

interface InnerOptions {
  readonly timeout?: Duration | undefined;
  readonly priority?: Priority | undefined;
  readonly key?: string | undefined;
}

const innerNames = ['timeout', 'priority', 'key'];

/** A reference inside a context. */
export interface InnerReference {
  readonly address: string;
  execute(action: string, input?: unknown, options?: InnerOptions): Promise<unknown>;
}

/** A reference whose calls are carried out by `execute`. */
export function innerReference(contract: Contract, key: string, execute: Execute): InnerReference {
  const address = addressOf(contract.type, key);
  return {
    address,
    async execute(action, input, options = noOptions) {
      checkNames(options, innerNames, `${address}.${action}`);
      const shape = actionOf(contract, action);
      parseWith(shape.input, input, `${contract.type}.${action}`, 'INVALID_INPUT');
      const timeoutMs =
        options.timeout === undefined
          ? undefined
          : durationMs(options.timeout, `the timeout of ${address}.${action}`);
      const reply = await execute({
        contract,
        key,
        action,
        input: copyPayload(input, contract, `${address}.${action}: input`),
        priority: priorityOf(options.priority, `${address}.${action}`),
        timeoutMs,
        stepKey: options.key,
      });
      return reply.value;
    },
  };
}

/** A reference to the reads of an agent, for turns and reads. */
export function readsOf(
  agent: { readonly address: string; readonly host: MessageHost },
  cause: Envelope,
  contract: Contract,
  key: string,
): InnerReference {
  return innerReference(contract, key, call => {
    const { action, input, priority, timeoutMs } = call;
    if (actionOf(contract, action).kind !== 'read') {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${agent.address}.${cause.action} may await reads only, and ${contract.type}.${action} is none; use ctx.send, or do it in a task`,
        outcome: 'rolled-back',
      });
    }
    return agent.host.deliver({
      type: contract.type,
      key,
      action,
      input,
      priority,
      timeoutMs,
      caller: agent.address,
      correlationId: cause.correlationId,
      trace: cause.trace,
      guarantee: 'at_least_once',
      wantsReply: true,
    });
  });
}
