/**
 * What stands under the key of a lease: who holds it, since which start, and what others are to
 * know about the holder. It is text, so that an operator can read it with any tool of the engine.
 */
import { TroupeError, wrapError } from '../core/errors.ts';

/** How a lease stands: held, given back by its holder, or ended by somebody who waited it out. */
export type LeaseState = 'held' | 'released' | 'expired';

/** The content of a lease's key. */
export interface LeaseValue {
  readonly state: LeaseState;
  /** Names one start of one process, as nothing else ever is. */
  readonly holder: string;
  /** Rises with each start under the same key. */
  readonly incarnation: number;
  /** Counts the writes of this holder. */
  readonly renewal: number;
  /** What the holder tells about itself (addresses, capabilities): plain data, as JSON has it. */
  readonly details: unknown;
}

const format = 1;
const states = new Set<unknown>(['held', 'released', 'expired']);

/** How many bytes a lease may have: what it tells is read by every node, again and again. */
const leaseBytesMax = 32_768;

/**
 * The bytes of a value.
 *
 * @throws `NOT_SERIALIZABLE` or `PAYLOAD_TOO_LARGE`, on account of the details.
 */
export function encodeLease(value: LeaseValue): Uint8Array {
  const bytes = new TextEncoder().encode(textOfLease(value));
  if (bytes.length <= leaseBytesMax) return bytes;
  throw new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `the details of a lease make it ${bytes.length} bytes; at most ${leaseBytesMax}`,
  });
}

/**
 * The value of bytes.
 *
 * @throws `LOG_CORRUPT` when they are no lease; `ENGINE_UNSUPPORTED` when they are one of a format
 * that is not known here.
 */
export function decodeLease(key: string, bytes: Uint8Array): LeaseValue {
  const fields = fieldsOf(bytes);
  if (fields === undefined) throw noLease(key);
  const { format: writtenIn, state, holder, incarnation, renewal, details } = fields;
  if (typeof writtenIn === 'number' && writtenIn !== format) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `the lease ${key} has format ${writtenIn}; this version knows ${format}`,
    });
  }
  const isLease =
    isState(state) &&
    typeof holder === 'string' &&
    typeof incarnation === 'number' &&
    typeof renewal === 'number';
  if (!isLease) throw noLease(key);
  return { state, holder, incarnation, renewal, details };
}

function textOfLease(value: LeaseValue): string {
  try {
    return JSON.stringify({ format, ...value });
  } catch (error) {
    throw wrapError('NOT_SERIALIZABLE', error, 'the details of a lease');
  }
}

function fieldsOf(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value !== 'object' || value === null) return undefined;
    return value as Record<string, unknown>; // An object, of which each field is checked.
  } catch {
    // Whoever asked says which lease it is.
    return undefined;
  }
}

function isState(state: unknown): state is LeaseState {
  return states.has(state);
}

function noLease(key: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', { detail: `what stands under ${key} is no lease` });
}
