/**
 * The first 64 bytes of every file of a store: magic, format version, fields, checksum. All
 * versions of the format keep magic, version and checksum in these places, so that data of a newer
 * version is recognised as such and left alone, and never mistaken for damage.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../../core/errors.ts';
import { type Bytes, bytesOf, formatVersion } from './frame.ts';

/** The bytes of a file header. */
export const fileHeaderBytes = 64;

/** What a file header says at first sight. */
export type HeaderState = 'valid' | 'damaged';

/** Starts a header: the caller writes its fields from byte 8 on, then calls {@link sealHeader}. */
export function startHeader(magic: number): Bytes {
  const bytes = bytesOf(new Uint8Array(fileHeaderBytes));
  bytes.view.setUint32(0, magic, true);
  bytes.view.setUint16(4, formatVersion, true);
  return bytes;
}

/** Writes the checksum of a header whose fields are in place. */
export function sealHeader(header: Bytes, salt: number): Uint8Array {
  header.view.setUint32(60, crc32(header.buffer.subarray(0, 60), salt), true);
  return header.buffer.subarray(0, fileHeaderBytes);
}

/**
 * Whether a header is whole.
 *
 * @throws `ENGINE_UNSUPPORTED` when it is whole and of a newer format.
 */
export function checkHeader(header: Bytes, magic: number, salt: number, path: string): HeaderState {
  const { buffer, view } = header;
  if (buffer.length < fileHeaderBytes || view.getUint32(0, true) !== magic) return 'damaged';
  if (crc32(buffer.subarray(0, 60), salt) !== view.getUint32(60, true)) return 'damaged';
  const version = view.getUint16(4, true);
  if (version > formatVersion) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail:
        `${path} has data format ${version}, this code reads up to ${formatVersion}; ` +
        'it was left untouched; start the version of Troupe that wrote it',
      data: { path, found: version, supported: formatVersion },
    });
  }
  return 'valid';
}

/** The error for a file that is damaged at a place. */
export function corrupt(path: string, offset: number, what: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', {
    detail: `${path} at offset ${offset}: ${what}`,
    data: { path, offset },
  });
}
