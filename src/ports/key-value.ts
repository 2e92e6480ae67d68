/** Small values under keys with compare-and-set, as a port: leases, shard maps, settings. */

/** A value with the revision that wrote it. */
export interface KeyValueEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Rises with every change of the key, also across deletion. */
  readonly revision: number;
}

/** A change that a watcher sees. */
export type KeyValueChange =
  | { readonly kind: 'put'; readonly entry: KeyValueEntry }
  | { readonly kind: 'delete'; readonly key: string; readonly revision: number };

/** What became of a conditional write: the new revision, or that the condition did not hold. */
export type KeyValueResult =
  | { readonly status: 'accepted'; readonly revision: number }
  | { readonly status: 'conflict' };

/**
 * Keys and values with compare-and-set.
 *
 * @remarks Writes throw `ENGINE_UNAVAILABLE` (`not-executed`) or `ENGINE_FAILED` (`unknown`). Keys
 * are up to 512 bytes without control characters, values up to 64 KiB (`PAYLOAD_TOO_LARGE`).
 */
export interface KeyValue {
  get(key: string): Promise<KeyValueEntry | undefined>;
  /** Writes only if the key does not exist. */
  create(key: string, value: Uint8Array): Promise<KeyValueResult>;
  /** Writes only if the key has this revision. */
  compareAndSet(key: string, value: Uint8Array, revision: number): Promise<KeyValueResult>;
  /** Deletes only if the key has this revision. */
  delete(key: string, revision: number): Promise<KeyValueResult>;
  /** The keys that exist and begin so, sorted. */
  keys(prefix: string): Promise<string[]>;
  /**
   * Reports the entries there are, then changes, for keys that begin so. Views may be skipped when
   * several changes of one key come fast; the last one is always reported. Returns the way to stop.
   */
  watch(prefix: string, listener: (change: KeyValueChange) => void): Promise<() => void>;
  close(): Promise<void>;
}
