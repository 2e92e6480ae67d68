/**
 * The hash chain of a log: each record carries the hash of all before it, so that a record that was
 * lost, swapped or changed shows when the log is read. Sixteen bytes of SHA-256 are kept: against
 * damage and mistakes that is more than enough, and twice as much would be the larger part of a
 * record.
 */
import { hash } from 'node:crypto';

/** The bytes of a hash in a chain. */
export const chainHashBytes = 16;

/**
 * The hash of a record, and through it of all before: a string of one byte a character, because a
 * buffer of so few bytes costs more than the hash.
 */
export type ChainHash = string;

/** What the first record of a log names as the one before it. */
export const emptyChain: ChainHash = '\0'.repeat(chainHashBytes);

/** The hash of a record. The record holds the hash of the one before it. */
export function chainHash(record: Uint8Array): ChainHash {
  // Node takes every encoding of a Buffer; its types know this one by its old name only.
  return hash('sha256', record, 'latin1' as 'binary').slice(0, chainHashBytes);
}

/** A hash as lower-case hexadecimal digits, for people. */
export function chainHex(chain: ChainHash): string {
  return Buffer.from(chain, 'latin1').toString('hex');
}

/** SHA-256 of bytes or a text, shortened to 16 bytes, as 32 hexadecimal digits. */
export function hexHash(content: Uint8Array | string): string {
  return hash('sha256', content, 'hex').slice(0, chainHashBytes * 2);
}
