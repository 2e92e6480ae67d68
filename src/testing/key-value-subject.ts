/** The subject of the laws of keys and values. */
import type { Clock } from '../ports/clock.ts';
import type { KeyValue, KeyValueResult } from '../ports/key-value.ts';
import { must } from './law-checks.ts';

/** Keys and values to check, empty at first. */
export interface KeyValueSubject {
  readonly keyValue: KeyValue;
  /** Bounds how long a law waits. */
  readonly clock: Clock;
  /** Closes the store and opens it again, as a restart does. */
  readonly reopen?: (() => Promise<KeyValue>) | undefined;
}

/** The revision of a write that must have been accepted. */
export function revisionOf(result: KeyValueResult): number {
  must(result.status === 'accepted', 'a write whose condition holds is accepted');
  return result.revision;
}
