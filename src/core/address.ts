/** The name of an agent: `type/key`. Everything after the first slash is the key. */
import { TroupeError } from './errors.ts';

/** An agent's type and key. */
export interface AgentId {
  readonly type: string;
  readonly key: string;
}

/** The longest key, in UTF-8 bytes. */
export const keyBytesMax = 512;

const typePattern = /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/;
const controlPattern = /[\p{Cc}\u2028\u2029]/u;

/**
 * Whether a name may be that of an agent type: a letter, then up to 63 letters, digits, `_`, `-`.
 */
export function isTypeName(type: string): boolean {
  return typePattern.test(type);
}

/**
 * The address of an agent.
 *
 * @throws `INVALID_INPUT` when the key is empty, too long, or holds control characters.
 */
export function addressOf(type: string, key: string): string {
  const complaint = complaintAboutKey(key);
  if (complaint !== undefined) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `the key of an agent "${type}" ${complaint}`,
    });
  }
  return `${type}/${key}`;
}

/**
 * Type and key of an address.
 *
 * @throws `INVALID_INPUT` when it is not `type/key`.
 */
export function parseAddress(address: string): AgentId {
  const slash = typeof address === 'string' ? address.indexOf('/') : -1;
  if (slash < 1) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `${JSON.stringify(address)} is not an address; write "type/key"`,
    });
  }
  const type = address.slice(0, slash);
  const key = address.slice(slash + 1);
  addressOf(type, key);
  return { type, key };
}

function complaintAboutKey(key: unknown): string | undefined {
  if (typeof key !== 'string') return `is a ${typeof key}; it must be a string`;
  if (key.length === 0) return 'is empty';
  if (key.length > keyBytesMax || Buffer.byteLength(key) > keyBytesMax) {
    return `is longer than ${keyBytesMax} bytes`;
  }
  return controlPattern.test(key)
    ? 'holds a control character or half a surrogate pair'
    : undefined;
}
