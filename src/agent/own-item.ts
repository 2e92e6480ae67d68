/**
 * Items that an agent puts into its own mailbox: timers, updates of tasks, signals, administration.
 */
import type { Envelope } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { AgentHost } from './host.ts';
import type { MailboxItem, OwnWork } from './item.ts';

/** What an own item needs to know of its agent. */
export interface OwnAgent {
  readonly key: string;
  readonly contract: { readonly type: string };
  readonly host: AgentHost;
}

/** Particulars of an own item. */
export interface OwnItemOptions {
  readonly input?: unknown;
  readonly caller?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Called once: with an error when it failed, with the value when its record is accepted. */
  settled(error: TroupeError | undefined, value?: unknown): void;
}

/** Makes an own item; `action` names it in metrics, history and errors. */
export function ownItem(
  agent: OwnAgent,
  action: string,
  work: OwnWork,
  options: OwnItemOptions,
): MailboxItem {
  const { host, key, contract } = agent;
  const id = host.nextId();
  const envelope: Envelope = {
    id,
    type: contract.type,
    key,
    action,
    input: options.input,
    guarantee: 'at_most_once',
    priority: 'normal',
    deadline: Number.POSITIVE_INFINITY,
    wantsReply: false,
    attempt: 1,
    firstAttemptAt: host.clock.now(),
    caller: options.caller,
    correlationId: options.correlationId ?? id,
  };
  return {
    envelope,
    work,
    arrivedAt: host.clock.monotonic(),
    resolve: reply => options.settled(undefined, reply.value),
    reject: error => options.settled(error),
  };
}
