/** The bound on every value that an agent takes or gives: `payloadBytesMax` of its type. */
import { type Outcome, TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { sizeOf } from '../state/value-size.ts';
import type { Contract } from './contract.ts';

/**
 * Copies a value that crosses the boundary of an agent.
 *
 * @throws `NOT_SERIALIZABLE`, and `PAYLOAD_TOO_LARGE` when it is larger than the type allows.
 */
export function copyPayload<T>(value: T, contract: Contract, place: string): T {
  const copy = copyValue(value, place);
  checkPayload(copy, contract, place);
  return copy;
}

/**
 * Refuses a value that is too large.
 *
 * @throws `PAYLOAD_TOO_LARGE`
 */
export function checkPayload(
  value: unknown,
  contract: Contract,
  place: string,
  outcome?: Outcome,
): void {
  const { payloadBytesMax } = contract.limits;
  if (sizeOf(value, payloadBytesMax) <= payloadBytesMax) return;
  throw new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `${place} has more than ${payloadBytesMax} bytes (limits.payloadBytesMax); keep large values outside and pass their names`,
    outcome,
  });
}
