/**
 * The head of a blob: whether it is being stored, is stored, or is being removed, and how it is cut
 * into parts. Every step of a blob's life is a conditional write of its head, so that storing and
 * sweeping the same bytes at once cannot leave a head without its parts.
 */
import { TroupeError } from '../../core/errors.ts';
import type { JsonObject } from './jetstream.ts';

/** How far a blob is. */
export type BlobState = 'storing' | 'stored' | 'removed';

/** What a head says. */
export interface BlobHead {
  readonly state: BlobState;
  /** How many bytes the blob has. */
  readonly size: number;
  /** How many bytes each part has, but for the last one. */
  readonly partBytes: number;
}

const format = 1;
const headBytes = 16;
const states: readonly BlobState[] = ['storing', 'stored', 'removed'];

/** The stream of the blobs of a cluster. */
export function blobStream(cluster: string): string {
  return `tp_${cluster}_blob`;
}

/** What the subjects of the blobs of a cluster begin with. */
export function blobSubjects(cluster: string): string {
  return `tp.${cluster}.blob`;
}

/** The configuration of the stream of the blobs. */
export function blobConfig(cluster: string, replicas: number): JsonObject {
  return {
    name: blobStream(cluster),
    subjects: [`${blobSubjects(cluster)}.>`],
    retention: 'limits',
    discard: 'new',
    storage: 'file',
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    max_age: 0,
    allow_direct: true,
  };
}

/** The bytes of a head. */
export function encodeBlobHead({ state, size, partBytes }: BlobHead): Uint8Array {
  const bytes = new Uint8Array(headBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, format);
  view.setUint8(1, states.indexOf(state));
  view.setUint32(4, partBytes, true);
  view.setFloat64(8, size, true);
  return bytes;
}

/**
 * The head of bytes.
 *
 * @throws `LOG_CORRUPT`, or `ENGINE_UNSUPPORTED` when it is of a later format.
 */
export function decodeBlobHead(id: string, bytes: Uint8Array): BlobHead {
  if (bytes.length === headBytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const state = states[view.getUint8(1)];
    const [size, partBytes] = [view.getFloat64(8, true), view.getUint32(4, true)];
    const isKnown = view.getUint8(0) === format && state !== undefined;
    if (isKnown && Number.isSafeInteger(size) && size >= 0 && partBytes > 0) {
      return { state, size, partBytes };
    }
  }
  const written = bytes[0] ?? 0;
  if (written > format) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `blob ${id} has format ${written}; this version knows ${format}`,
    });
  }
  throw new TroupeError('LOG_CORRUPT', { detail: `the head of blob ${id} is damaged` });
}
