/** What differs between two states, for people. Pure. */
import type { StateChange } from '../agent/history-types.ts';
import { equalValues } from '../core/value-equality.ts';

type Path = readonly (string | number)[];

/** The differences between two values, from the outside in. */
export function changesBetween(before: unknown, after: unknown): StateChange[] {
  const changes: StateChange[] = [];
  compare(before, after, [], changes);
  return changes;
}

function compare(before: unknown, after: unknown, path: Path, changes: StateChange[]): void {
  if (equalValues(before, after)) return;
  const [left, right] = [entriesOf(before), entriesOf(after)];
  if (left === undefined || right === undefined || isList(before) !== isList(after)) {
    changes.push({ kind: 'changed', path, before, after });
    return;
  }
  for (const [key, value] of left) {
    if (right.has(key)) compare(value, right.get(key), [...path, key], changes);
    else changes.push({ kind: 'removed', path: [...path, key], before: value });
  }
  for (const [key, value] of right) {
    if (!left.has(key)) changes.push({ kind: 'added', path: [...path, key], after: value });
  }
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || value instanceof Set;
}

/** The parts of a value by key; nothing for values that have no parts. */
function entriesOf(value: unknown): Map<string | number, unknown> | undefined {
  if (Array.isArray(value)) return new Map(value.entries());
  if (value instanceof Set) return new Map([...value].map((part, index) => [index, part]));
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [textKey(key), part]));
  if (
    typeof value !== 'object' ||
    value === null ||
    value instanceof Date ||
    value instanceof Uint8Array
  )
    return undefined;
  return new Map(Object.entries(value));
}

function textKey(key: unknown): string | number {
  return typeof key === 'number' ? key : String(key);
}
