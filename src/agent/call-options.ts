/** Options of calls, checked where they are given: not every caller's types are looked at. */
import type { Guarantee, Priority } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { suggestionFor } from './suggest.ts';

/** What is given when nothing is: shared, so that it need not be looked at. */
export const noOptions = {};

/**
 * Refuses options that do not exist: a misspelt one would be left out in silence, and a step that
 * was to ask would be tried again.
 *
 * @throws `INVALID_INPUT`
 */
export function checkNames(options: object, known: readonly string[], place: string): void {
  if (options === noOptions) return;
  if (typeof options !== 'object' || options === null) {
    throw unknown(place, 'the last argument', options, `an object with ${known.join(', ')}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new TroupeError('INVALID_INPUT', {
      detail: `${place} has no option "${name}"; it has ${known.join(', ')}${suggestionFor(name, known)}`,
    });
  }
}

/**
 * The lane that an option asks for: `normal` when it is left out.
 *
 * @throws `INVALID_INPUT` when there is no such lane.
 */
export function priorityOf(priority: Priority | undefined, place: string): Priority {
  if (priority === undefined) return 'normal';
  if (priority === 'normal' || priority === 'high' || priority === 'low') return priority;
  throw unknown(place, 'priority', priority, '"high", "normal" or "low"');
}

/**
 * Refuses what is no guarantee.
 *
 * @throws `INVALID_INPUT`
 */
export function checkGuarantee(delivery: Guarantee | undefined, place: string): void {
  if (delivery === undefined || delivery === 'at_least_once') return;
  if (delivery === 'at_most_once' || delivery === 'exactly_once') return;
  const guarantees = '"at_most_once", "at_least_once" or "exactly_once"';
  throw unknown(place, 'delivery', delivery, guarantees);
}

function unknown(place: string, option: string, value: unknown, expected: string): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `${place}: ${option} is ${previewOf(value)}; it must be ${expected}`,
  });
}
