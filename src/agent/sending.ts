/**
 * A message that an agent wants to send once its record is accepted: checked where it is written.
 */
import { addressOf } from '../core/address.ts';
import { type Duration, durationMs } from '../core/duration.ts';
import type { Guarantee, Priority } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { actionOf } from './action.ts';
import { checkGuarantee, checkNames, priorityOf } from './call-options.ts';
import type { Contract } from './contract.ts';
import type { OutgoingMessage } from './message.ts';
import { copyPayload } from './payload.ts';
import { parseWith } from './schema.ts';

/** A message to be sent. */
export type Sending = Omit<
  OutgoingMessage,
  'caller' | 'correlationId' | 'trace' | 'wantsReply' | 'idempotencyKey'
> & {
  /** Drawn when left out. */
  readonly id?: string | undefined;
};

/** Options of `ctx.send`. */
export interface SendingOptions {
  readonly delivery?: Guarantee | undefined;
  readonly priority?: Priority | undefined;
  readonly timeout?: Duration | undefined;
}

/** What is to be sent, and where to. */
export interface SendingRequest {
  readonly contract: Contract;
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly options: SendingOptions;
}

const sendNames = ['delivery', 'priority', 'timeout', 'key'];

/** Who sends. */
export interface Sender {
  readonly address: string;
  readonly contract: Contract;
  readonly host: { contractOf(type: string): Contract | undefined };
}

/**
 * The message that `ctx.send` asks for.
 *
 * @throws `INVALID_INPUT`, `ACTION_NOT_DEFINED`, `NOT_SERIALIZABLE`, `PAYLOAD_TOO_LARGE`,
 * `LEVEL_UNSUPPORTED`, `TYPE_NOT_DEFINED`
 */
export function sendingOf(sender: Sender, request: SendingRequest): Sending {
  const { contract, key, action, input, options } = request;
  const target = addressOf(contract.type, key);
  if (sender.host.contractOf(contract.type) === undefined) {
    throw new TroupeError('TYPE_NOT_DEFINED', {
      detail: `${sender.address} sends to ${target}, and this node does not know its type; pass its contract or implementation in \`agents\` of createTroupe`,
      outcome: 'rolled-back',
    });
  }
  const shape = actionOf(contract, action);
  if (shape.kind === 'read') {
    throw new TroupeError('INVALID_INPUT', {
      detail: `${target}.${action} is a read and cannot be sent to`,
      outcome: 'rolled-back',
    });
  }
  parseWith(shape.input, input, `${contract.type}.${action}`, 'INVALID_INPUT');
  checkNames(options, sendNames, `ctx.send to ${target}`);
  const { timeout, priority, delivery } = options;
  checkGuarantee(delivery, `ctx.send to ${target}`);
  const place = `the timeout of ctx.send to ${target}`;
  return {
    type: contract.type,
    key,
    action,
    input: copyPayload(input, contract, `${target}.${action}: input`),
    guarantee: guaranteeOf(sender, contract, delivery),
    priority: priorityOf(priority, `ctx.send to ${target}`),
    ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout, place) }),
  };
}

function guaranteeOf(
  sender: { readonly address: string; readonly contract: Contract },
  target: Contract,
  asked: Guarantee | undefined,
): Guarantee {
  const isDurable = sender.contract.consistency !== 'none' && target.consistency !== 'none';
  const guarantee = asked ?? (isDurable ? 'exactly_once' : 'at_least_once');
  if (isDurable || guarantee !== 'exactly_once') return guarantee;
  throw new TroupeError('LEVEL_UNSUPPORTED', {
    detail: `exactly_once from ${sender.address} to ${target.type} needs "strong" at both ends`,
    outcome: 'rolled-back',
  });
}
