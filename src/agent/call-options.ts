/** Options of calls, checked where they are given: not every caller's types are looked at. */
import type { Guarantee, Priority } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';

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
