/** Who watches the keys of a log: shared by all who opened the same keys in this process. */
import type { KeyValueChange } from '../../ports/key-value.ts';
import type { Log } from '../../ports/log.ts';

/** One watch. */
export interface KeyValueWatch {
  readonly prefix: string;
  readonly listener: (change: KeyValueChange) => void;
  /** The newest revision that was reported, by key. */
  readonly seen: Map<string, number>;
}

const watchesByLog = new WeakMap<Log, Map<string, Set<KeyValueWatch>>>();

/** The watches on the keys below a folder of a log. */
export function watchesOf(log: Log, folder: string): Set<KeyValueWatch> {
  let folders = watchesByLog.get(log);
  if (folders === undefined) {
    folders = new Map();
    watchesByLog.set(log, folders);
  }
  let watches = folders.get(folder);
  if (watches === undefined) {
    watches = new Set();
    folders.set(folder, watches);
  }
  return watches;
}
