/**
 * The hash chain of a log: each record carries the hash of all before it, so that a record that was
 * lost, swapped or changed shows when the log is read. Sixteen bytes of SHA-256 are kept: against
 * damage and mistakes that is more than enough, and twice as much would be the larger part of a
 * record.
 */
import { hash } from 'node:crypto';
import { TroupeError } from '../core/errors.ts';

/** The bytes of a hash in a chain. */
export const chainHashBytes = 16;

/** What stands before the first record of a log. */
export const emptyChain: Uint8Array = new Uint8Array(chainHashBytes);

let joined: Uint8Array = new Uint8Array(4096);

/** The hash of a chain that ends with `bytes`, where `previous` is the hash of what lies before. */
export function chainHash(previous: Uint8Array, bytes: Uint8Array): Uint8Array {
  // One call on joined bytes costs less than an object that is updated twice.
  const length = previous.length + bytes.length;
  if (joined.length < length) joined = new Uint8Array(length * 2);
  joined.set(previous);
  joined.set(bytes, previous.length);
  return new Uint8Array(
    hash('sha256', joined.subarray(0, length), 'buffer').subarray(0, chainHashBytes),
  );
}

/** SHA-256 of bytes or a text, shortened to 16 bytes, as 32 hexadecimal digits. */
export function hexHash(content: Uint8Array | string): string {
  return hash('sha256', content, 'hex').slice(0, chainHashBytes * 2);
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/**
 * The bytes of hexadecimal digits.
 *
 * @throws `INVALID_INPUT` when the text is something else.
 */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `${JSON.stringify(text)} is not hexadecimal`,
    });
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}
