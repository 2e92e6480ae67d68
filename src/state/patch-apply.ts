/**
 * Repeats a change on the value it was found for. Patches come from storage: one that does not fit
 * its base is an error, and never half applied.
 */
import { TroupeError } from '../core/errors.ts';
import { type Patch, type PatchKind, patchKindOf, patchTag } from './patch-format.ts';

type Slots = Record<string, unknown>;

const none: readonly never[] = [];

/**
 * The value that a patch makes of `base`, which stays as it is.
 *
 * @remarks The result shares parts with the base and with the patch.
 * @throws `LOG_CORRUPT` when the patch does not fit the base.
 */
export function applyPatch(base: unknown, patch: Patch): unknown {
  check(Array.isArray(patch), 'it is no list');
  if (patch[0] === patchTag.whole) {
    check(patch.length === 2, 'it lacks its value');
    return patch[1];
  }
  const applier = appliers[patch[0]];
  check(applier !== undefined, 'its kind is unknown');
  check(patchKindOf(base) === applier.kind, `it is for a ${applier.kind}`);
  return applier.apply(base as never, patch);
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) {
    throw new TroupeError('LOG_CORRUPT', { detail: `a stored change does not fit: ${what}` });
  }
}

interface Applier {
  readonly kind: PatchKind;
  readonly apply: (base: never, patch: Patch) => unknown;
}

const appliers: Readonly<Record<number, Applier>> = {
  [patchTag.record]: { kind: 'record', apply: applyToRecord },
  [patchTag.array]: { kind: 'array', apply: applyToArray },
  [patchTag.map]: { kind: 'map', apply: applyToMap },
  [patchTag.set]: { kind: 'set', apply: applyToSet },
  [patchTag.bytes]: { kind: 'bytes', apply: applyToBytes },
};

/** The list at a place of the tuple; empty when it was left out. */
function listAt(patch: Patch, place: number, itemsEach: number): readonly unknown[] {
  const list: unknown = patch[place];
  if (list === undefined) return none;
  check(Array.isArray(list) && list.length % itemsEach === 0, 'a list is broken');
  return list;
}

function asIndex(value: unknown, max: number): number {
  check(typeof value === 'number' && Number.isInteger(value), 'a place is no number');
  check(value >= 0 && value <= max, 'a place lies outside');
  return value;
}

function asKey(value: unknown): string {
  check(typeof value === 'string' && value !== '__proto__', 'a key is none');
  return value;
}

function applyToRecord(base: Slots, patch: Patch): Slots {
  const next: Slots = { ...base };
  for (const key of listAt(patch, 3, 1)) {
    check(delete next[asKey(key)], 'a key cannot be deleted');
  }
  const nested = listAt(patch, 2, 2);
  for (let index = 0; index < nested.length; index += 2) {
    const key = asKey(nested[index]);
    check(Object.hasOwn(next, key), 'a key is missing');
    next[key] = applyPatch(next[key], nested[index + 1] as Patch); // Checked by the call.
  }
  const sets = listAt(patch, 1, 2);
  for (let index = 0; index < sets.length; index += 2) next[asKey(sets[index])] = sets[index + 1];
  return next;
}

function applyToArray(base: readonly unknown[], patch: Patch): unknown[] {
  const next = base.slice();
  const splices = listAt(patch, 1, 3);
  for (let index = 0; index < splices.length; index += 3) {
    const start = asIndex(splices[index], next.length);
    const removed = asIndex(splices[index + 1], next.length - start);
    const added = splices[index + 2];
    check(Array.isArray(added), 'a list is broken');
    replaceRun(next, start, removed, added);
  }
  const edits = listAt(patch, 2, 2);
  for (let index = 0; index < edits.length; index += 2) {
    const place = asIndex(edits[index], next.length - 1);
    next[place] = applyPatch(next[place], edits[index + 1] as Patch); // Checked by the call.
  }
  return next;
}

/** Like `splice`, but not limited by the number of arguments that a call may have. */
function replaceRun(
  items: unknown[],
  start: number,
  removed: number,
  added: readonly unknown[],
): void {
  const rest = items.slice(start + removed);
  items.length = start;
  for (const item of added) items.push(item);
  for (const item of rest) items.push(item);
}

function applyToMap(base: ReadonlyMap<unknown, unknown>, patch: Patch): Map<unknown, unknown> {
  const keys = [...base.keys()];
  const next = new Map(base);
  const keyAt = (place: unknown): unknown => keys[asIndex(place, keys.length - 1)];
  for (const place of listAt(patch, 3, 1)) next.delete(keyAt(place));
  const nested = listAt(patch, 2, 2);
  for (let index = 0; index < nested.length; index += 2) {
    const key = keyAt(nested[index]);
    check(next.has(key), 'a key is missing');
    next.set(key, applyPatch(next.get(key), nested[index + 1] as Patch)); // Checked by the call.
  }
  const sets = listAt(patch, 1, 2);
  for (let index = 0; index < sets.length; index += 2) {
    const key = keyAt(sets[index]);
    check(next.has(key), 'a key is missing');
    next.set(key, sets[index + 1]);
  }
  const adds = listAt(patch, 4, 2);
  for (let index = 0; index < adds.length; index += 2) next.set(adds[index], adds[index + 1]);
  return next;
}

function applyToSet(base: ReadonlySet<unknown>, patch: Patch): Set<unknown> {
  const members = [...base];
  const next = new Set(base);
  for (const place of listAt(patch, 1, 1)) next.delete(members[asIndex(place, members.length - 1)]);
  for (const member of listAt(patch, 2, 1)) next.add(member);
  return next;
}

function applyToBytes(base: Uint8Array, patch: Patch): Uint8Array {
  const start = asIndex(patch[1], base.length);
  const removed = asIndex(patch[2], base.length - start);
  const added: unknown = patch[3];
  check(added instanceof Uint8Array, 'its bytes are missing');
  const next = new Uint8Array(base.length - removed + added.length);
  next.set(base.subarray(0, start));
  next.set(added, start);
  next.set(base.subarray(start + removed), start + added.length);
  return next;
}
