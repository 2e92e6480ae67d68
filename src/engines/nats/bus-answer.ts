/**
 * What a responder sends back: its bytes, or why there are none. An answer without a header is the
 * bytes; one with it says that the responder failed (its payload is the error), that it has
 * stopped, or that the question came after its deadline.
 */
import { errorCodes } from '../../core/error-codes.ts';
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { NatsHeaders, NatsMessage } from './client.ts';

/** The header of a question: when, in wall-clock milliseconds, nobody waits for it any more. */
export const deadlineHeader = 'Troupe-Deadline';

const kindHeader = 'Troupe-Answer';

/** The headers of an answer that says that the responder has stopped. */
export const stoppedHeaders: NatsHeaders = { [kindHeader]: 'stopped' };

/** The headers of an answer that says that the question came after its deadline. */
export const lateHeaders: NatsHeaders = { [kindHeader]: 'late' };

/** The headers of an answer whose payload is an error. */
export const failedHeaders: NatsHeaders = { [kindHeader]: 'failed' };

/** An error has to fit into a message, whatever was thrown. */
const textLengthMax = 4_096;

/** What a responder threw, as the payload of an answer. */
export function failureBytes(thrown: unknown, topic: string): Uint8Array {
  const error = wrapError('HANDLER_FAILED', thrown, `the responder on ${topic}`, 'unknown');
  const { code, outcome, detail, cause } = error.toValue();
  const cut = (text: string | undefined) => text?.slice(0, textLengthMax);
  return Buffer.from(JSON.stringify({ code, outcome, detail: cut(detail), cause: cut(cause) }));
}

/**
 * The bytes of an answer.
 *
 * @throws what the responder threw; `NODE_UNREACHABLE` when it has stopped; `DEADLINE_EXCEEDED`
 * (`not-executed`) when the question reached it too late.
 */
export function bytesOfAnswer(message: NatsMessage, topic: string): Uint8Array {
  const kind = message.headers[kindHeader];
  if (kind === undefined) return Uint8Array.from(message.payload);
  if (kind === 'stopped') throw nobodyResponds(topic);
  if (kind === 'late') {
    throw new TroupeError('DEADLINE_EXCEEDED', {
      detail: `the request on ${topic} came late; if this happens at once, clocks differ by seconds`,
      outcome: 'not-executed',
    });
  }
  throw errorIn(message.payload, topic);
}

/** Nobody responds. */
export function nobodyResponds(topic: string): TroupeError {
  return new TroupeError('NODE_UNREACHABLE', {
    detail: `nobody responds on ${topic}`,
    outcome: 'not-executed',
  });
}

const outcomes = new Set<unknown>(['not-executed', 'rolled-back', 'executed', 'unknown']);

function errorIn(payload: Uint8Array, topic: string): TroupeError {
  const value = valueIn(payload);
  if (isErrorValue(value)) return TroupeError.from(value);
  return new TroupeError('HANDLER_FAILED', {
    detail: `the responder on ${topic} failed, and said so in a form that is not known here`,
    outcome: 'unknown',
  });
}

function valueIn(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    // What cannot be read is answered by `errorIn`.
    return undefined;
  }
}

function isErrorValue(value: unknown): value is Parameters<typeof TroupeError.from>[0] {
  if (typeof value !== 'object' || value === null) return false;
  const { code, outcome, detail } = value as Record<string, unknown>; // Checked field by field.
  const isCode = typeof code === 'string' && Object.hasOwn(errorCodes, code);
  return isCode && outcomes.has(outcome) && typeof detail === 'string';
}
