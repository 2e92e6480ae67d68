/** The form of a mark that says which log has work of its own, from when on, and who said so. */
import { TroupeError } from '../../core/errors.ts';

/** What a mark says. */
export interface WakeEntry {
  readonly name: string;
  /** The log has no work before this time, unless a later mark says so. */
  readonly dueAt: number;
  /** Who wrote it: as in the messages of logs. */
  readonly writer: string;
}

const format = 1;
const writerAt = 1;
const dueAtAt = 9;
const nameAt = 17;

/** Makes a mark. */
export function encodeWakeEntry({ name, dueAt, writer }: WakeEntry): Uint8Array {
  const bytes = Buffer.from(name);
  const buffer = Buffer.alloc(nameAt + bytes.length);
  buffer[0] = format;
  buffer.write(writer, writerAt, 8, 'hex');
  buffer.writeDoubleLE(dueAt, dueAtAt);
  buffer.set(bytes, nameAt);
  return buffer;
}

/**
 * Reads a mark.
 *
 * @throws `LOG_CORRUPT` when it is none.
 */
export function decodeWakeEntry(payload: Uint8Array, seq: number): WakeEntry {
  const buffer = Buffer.from(payload);
  if (buffer.length < nameAt || buffer[0] !== format) {
    throw new TroupeError('LOG_CORRUPT', { detail: `message ${seq} of the marks is no wake mark` });
  }
  return {
    name: buffer.toString('utf8', nameAt),
    dueAt: buffer.readDoubleLE(dueAtAt),
    writer: buffer.toString('hex', writerAt, dueAtAt),
  };
}
