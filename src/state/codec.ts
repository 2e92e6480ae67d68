/**
 * Values to bytes and back, exactly. What may be encoded is what `copyValue` lets through; the
 * format is in `codec-format.ts`. Framing, checksums and versions of records are left to the
 * caller.
 */
export { decodeValue } from './value-reader.ts';
export { encodeParts, encodePartsAsText, encodeValue, type PartWriter } from './value-writer.ts';
