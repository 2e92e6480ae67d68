/**
 * Where in the history of its agent a failure belongs that is the agent's own answer. It is kept
 * beside the error, because an error says what happened and not where.
 */
import type { Position } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';

const positions = new WeakMap<TroupeError, Position>();

/** Notes the position of an answer, and returns the error. */
export function placed(error: TroupeError, position: Position): TroupeError {
  positions.set(error, position);
  return error;
}

/** The position of an error; nothing unless an agent answered with it. */
export function positionOf(error: TroupeError): Position | undefined {
  return positions.get(error);
}
