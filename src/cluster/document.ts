/**
 * Documents of a cluster, as they stand under their keys: text, so that an operator can read them
 * with any tool of the engine, and with a format that older code refuses.
 */
import { TroupeError } from '../core/errors.ts';

/** The fields of a document, not checked yet. */
export type DocumentFields = Readonly<Record<string, unknown>>;

const format = 1;

/** The bytes of a document. */
export function encodeDocument(fields: DocumentFields): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ format, ...fields }));
}

/**
 * The fields of bytes.
 *
 * @throws `LOG_CORRUPT` when they are no document; `ENGINE_UNSUPPORTED` when they are one of a
 * format that is not known here.
 */
export function decodeDocument(key: string, bytes: Uint8Array): DocumentFields {
  const fields = fieldsOf(bytes);
  if (fields?.format === format) return fields;
  if (typeof fields?.format === 'number') {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `the document ${key} of the cluster has format ${fields.format}; this version knows ${format}`,
    });
  }
  throw new TroupeError('LOG_CORRUPT', { detail: `what stands under ${key} is no document` });
}

function fieldsOf(bytes: Uint8Array): DocumentFields | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value !== 'object' || value === null) return undefined;
    return value as DocumentFields; // An object, of which each field is checked.
  } catch {
    // Whoever asked says which document it is.
    return undefined;
  }
}
