/** Finding an action in a contract, with an error that helps when there is none. */
import { TroupeError } from '../core/errors.ts';
import type { Contract } from './contract.ts';
import { suggestionFor } from './suggest.ts';

/**
 * The shape of an action.
 *
 * @throws `ACTION_NOT_DEFINED` with what there is instead.
 */
export function actionOf(contract: Contract, action: string): Contract['actions'][string] {
  const shape = contract.actions[action];
  if (shape !== undefined) return shape;
  const names = Object.keys(contract.actions);
  throw new TroupeError('ACTION_NOT_DEFINED', {
    detail: `${contract.type} has no action "${action}"; it has ${names.join(', ')}${suggestionFor(action, names)}`,
  });
}
