/**
 * Asking an agent about something that was given to it before: a future, the chunks of a task. That
 * the question was not answered says nothing about what it is about.
 */
import { positionOf } from '../agent/answer-position.ts';
import { withOutcome } from '../agent/failure.ts';
import type { Reply } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { ClientKernel } from './kernel.ts';

/** What is asked. */
export interface Question {
  readonly type: string;
  readonly key: string;
  readonly action: '$future' | '$chunks';
  readonly input: unknown;
}

/**
 * Asks, and waits however long it takes.
 *
 * @throws what the agent answers; and what went wrong with the question, with the outcome `unknown`
 * where it says "not executed", because that which was asked about may have been.
 */
export async function ask({ delivery }: ClientKernel, question: Question): Promise<Reply> {
  try {
    return await delivery.deliver({
      ...question,
      guarantee: 'at_least_once',
      priority: 'normal',
      wantsReply: true,
      timeoutMs: Number.POSITIVE_INFINITY,
      trace: undefined,
    });
  } catch (error) {
    const isOfQuestion = TroupeError.is(error) && positionOf(error) === undefined;
    throw isOfQuestion && error.outcome === 'not-executed' ? withOutcome(error, 'unknown') : error;
  }
}
