/** Large values by the hash of their content, as a port. */

/**
 * A content-addressed store.
 *
 * @remarks An id is the lower-case hexadecimal SHA-256 of the bytes, so the same bytes are stored
 * once and a damaged blob shows itself: `get` throws `LOG_CORRUPT` for it.
 */
export interface Blob {
  /** Stores bytes durably and returns their id. */
  put(bytes: Uint8Array): Promise<string>;
  get(id: string): Promise<Uint8Array | undefined>;
  /** Removes every blob that is older than `olderThanMs` and not in `keep`; returns how many. */
  sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number>;
  close(): Promise<void>;
}
