/** Keys that callers and tasks give: what may be one. */
import { TroupeError } from '../core/errors.ts';
import { fixedLimits } from './limits.ts';

/**
 * Refuses what is no key.
 *
 * @throws `INVALID_INPUT` when it is no text, empty or too long.
 */
export function checkKey(key: unknown, place: string): void {
  const max = fixedLimits.idempotencyKeyBytesMax.default;
  const isFit = typeof key === 'string' && key.length > 0 && Buffer.byteLength(key) <= max;
  if (isFit) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `${place} must be a text of 1 to ${max} bytes (limits.idempotencyKeyBytesMax)`,
  });
}
