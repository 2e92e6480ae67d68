/**
 * Finds what changed between two values. Parts that are identical are passed over at once, so that
 * the cost follows the change when the values share structure; parts that are merely equal are
 * found to be so. At each level the patch is kept only if it is smaller than the value itself.
 */
import { type Patch, patchKindOf, patchTag } from './patch-format.ts';
import { sizeOf } from './value-size.ts';

/** A patch and about the bytes it takes. */
interface Change {
  readonly patch: Patch;
  readonly size: number;
}

type Slots = Readonly<Record<string, unknown>>;
type Items = readonly unknown[];
type Lists = readonly (readonly unknown[])[];

/** What a tuple of a few lists takes beside their content. */
const tupleBytes = 4;

/**
 * What must be done to `base` to get `next`; `undefined` when nothing.
 *
 * @remarks The order of keys, entries and members is part of a value here: `applyPatch` yields a
 * value that iterates as `next` does. The patch shares parts with `next`.
 */
export function diff(base: unknown, next: unknown): Patch | undefined {
  return changeOf(base, next)?.patch;
}

function changeOf(base: unknown, next: unknown): Change | undefined {
  if (Object.is(base, next)) return undefined;
  const kind = patchKindOf(next);
  if (kind === 'other' || kind !== patchKindOf(base))
    return isSameDate(base, next) ? undefined : whole(next);
  const change = differs[kind](base as never, next as never);
  return change === undefined || change.size <= sizeOf(next, change.size) ? change : whole(next);
}

const differs: {
  readonly [kind in 'record' | 'array' | 'map' | 'set' | 'bytes']: (
    base: never,
    next: never,
  ) => Change | undefined;
} = {
  record: recordChange,
  array: arrayChange,
  map: mapChange,
  set: setChange,
  bytes: bytesChange,
};

function whole(next: unknown): Change {
  return { patch: [patchTag.whole, next], size: 2 + sizeOf(next) };
}

function isSameDate(base: unknown, next: unknown): boolean {
  return base instanceof Date && next instanceof Date && Object.is(base.getTime(), next.getTime());
}

const none: readonly never[] = [];

/** Collects what changed of the parts of a container. Most changes are a few new values. */
class Parts {
  #sets: unknown[] | undefined = undefined;
  #nested: unknown[] | undefined = undefined;
  #deletes: unknown[] | undefined = undefined;
  size = tupleBytes;

  get sets(): readonly unknown[] {
    return this.#sets ?? none;
  }

  get nested(): readonly unknown[] {
    return this.#nested ?? none;
  }

  get deletes(): readonly unknown[] {
    return this.#deletes ?? none;
  }

  /** Notes how the part at `key` changed, if it did. */
  compare(key: unknown, base: unknown, next: unknown): void {
    if (Object.is(base, next)) return;
    if (typeof next !== 'object' || next === null) {
      this.size += 2;
      this.set(key, next);
      return;
    }
    const change = changeOf(base, next);
    if (change === undefined) return;
    this.size += sizeOf(key) + change.size;
    if (change.patch[0] === patchTag.whole) this.#add(key, next);
    else if (this.#nested === undefined) this.#nested = [key, change.patch];
    else this.#nested.push(key, change.patch);
  }

  set(key: unknown, value: unknown): void {
    this.size += sizeOf(key) + sizeOf(value);
    this.#add(key, value);
  }

  delete(key: unknown): void {
    this.size += sizeOf(key);
    if (this.#deletes === undefined) this.#deletes = [key];
    else this.#deletes.push(key);
  }

  get isEmpty(): boolean {
    return this.size === tupleBytes;
  }

  #add(key: unknown, value: unknown): void {
    if (this.#sets === undefined) this.#sets = [key, value];
    else this.#sets.push(key, value);
  }
}

function tuple(tag: 1 | 2 | 3 | 4, lists: Lists, size: number): Change {
  let count = lists.length;
  while (count > 0 && lists[count - 1]?.length === 0) count--;
  return { patch: [tag, ...lists.slice(0, count)], size };
}

function recordChange(base: Slots, next: Slots): Change | undefined {
  const baseKeys = Object.keys(base);
  const parts = new Parts();
  if (hasKeys(next, baseKeys)) {
    for (const key of baseKeys) parts.compare(key, base[key], next[key]);
  } else {
    compareKeys(base, next, parts);
    if (!hasKeys(next, orderAfter(baseKeys, parts))) return whole(next);
  }
  if (parts.isEmpty) return undefined;
  const { sets, nested, deletes, size } = parts;
  if (nested.length + deletes.length === 0) return { patch: [patchTag.record, sets], size };
  return tuple(patchTag.record, [sets, nested, deletes], size);
}

/** Whether a record has exactly these keys, in this order. */
function hasKeys(record: Slots, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in record) if (keys[count++] !== key) return false;
  return count === keys.length;
}

function compareKeys(base: Slots, next: Slots, parts: Parts): void {
  for (const key of Object.keys(base)) if (!Object.hasOwn(next, key)) parts.delete(key);
  for (const key of Object.keys(next)) {
    if (Object.hasOwn(base, key)) parts.compare(key, base[key], next[key]);
    else parts.set(key, next[key]);
  }
}

/** The order of keys after applying; left to the language, which puts keys like numbers first. */
function orderAfter(baseKeys: readonly string[], parts: Parts): string[] {
  const shape: Record<string, boolean> = {};
  for (const key of baseKeys) shape[key] = true;
  for (const key of parts.deletes as readonly string[]) delete shape[key];
  for (let index = 0; index < parts.sets.length; index += 2)
    shape[parts.sets[index] as string] = true;
  return Object.keys(shape);
}

function isSame(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (typeof a === 'object' && changeOf(a, b) === undefined);
}

function arrayChange(base: Items, next: Items): Change | undefined {
  const moved = next.length > 0 && !isSame(base[0], next[0]) ? windowChange(base, next) : undefined;
  if (moved !== undefined) return moved;
  if (base.length === next.length) return indexChange(base, next);
  const splice = spliceChange(base, next);
  const edits = indexChange(base, next) as Change; // The lengths differ, so there is one.
  return edits.size < splice.size ? edits : splice;
}

/** The elements kept slid to the front, as in a list of the last so many. */
function windowChange(base: Items, next: Items): Change | undefined {
  const slid = base.indexOf(next[0]);
  const kept = base.length - slid;
  if (slid < 1 || kept > next.length) return undefined;
  for (let index = 0; index < kept; index++) {
    if (!Object.is(base[slid + index], next[index])) return undefined;
  }
  const added = next.slice(kept);
  const splices = added.length === 0 ? [0, slid, []] : [0, slid, [], kept, 0, added];
  return tuple(patchTag.array, [splices], tupleBytes + 6 + sizeOf(added));
}

/** One run of elements was replaced by another. */
function spliceChange(base: Items, next: Items): Change {
  const shorter = Math.min(base.length, next.length);
  let start = 0;
  while (start < shorter && isSame(base[start], next[start])) start++;
  let kept = 0;
  while (kept < shorter - start && isSame(base.at(-1 - kept), next.at(-1 - kept))) kept++;
  const added = next.slice(start, next.length - kept);
  const splices = [start, base.length - kept - start, added];
  return tuple(patchTag.array, [splices], tupleBytes + sizeOf(start) + 3 + sizeOf(added));
}

/** Elements changed in their places; the end was cut or added to. */
function indexChange(base: Items, next: Items): Change | undefined {
  const shorter = Math.min(base.length, next.length);
  const edits: unknown[] = [];
  let size = tupleBytes;
  for (let index = 0; index < shorter; index++) {
    const change = changeOf(base[index], next[index]);
    if (change === undefined) continue;
    edits.push(index, change.patch);
    size += sizeOf(index) + change.size;
  }
  const added = next.slice(shorter);
  const splices = base.length === next.length ? [] : [shorter, base.length - shorter, added];
  if (edits.length + splices.length === 0) return undefined;
  if (splices.length > 0) size += 6 + sizeOf(added);
  return tuple(patchTag.array, [splices, edits], size);
}

function mapChange(
  base: ReadonlyMap<unknown, unknown>,
  next: ReadonlyMap<unknown, unknown>,
): Change | undefined {
  const parts = new Parts();
  const entries = next.entries();
  let entry = entries.next();
  let place = 0;
  for (const [key, value] of base) {
    if (entry.done !== true && isSame(key, entry.value[0])) {
      parts.compare(place, value, entry.value[1]);
      entry = entries.next();
    } else parts.delete(place);
    place++;
  }
  const adds: unknown[] = [];
  for (; entry.done !== true; entry = entries.next()) adds.push(entry.value[0], entry.value[1]);
  if (parts.isEmpty && adds.length === 0) return undefined;
  const size = parts.size + sizeOf(adds);
  return tuple(patchTag.map, [parts.sets, parts.nested, parts.deletes, adds], size);
}

function setChange(base: ReadonlySet<unknown>, next: ReadonlySet<unknown>): Change | undefined {
  const deletes: number[] = [];
  const members = next.values();
  let member = members.next();
  let place = 0;
  for (const value of base) {
    if (member.done !== true && isSame(value, member.value)) member = members.next();
    else deletes.push(place);
    place++;
  }
  const adds: unknown[] = [];
  for (; member.done !== true; member = members.next()) adds.push(member.value);
  if (deletes.length + adds.length === 0) return undefined;
  return tuple(patchTag.set, [deletes, adds], tupleBytes + sizeOf(deletes) + sizeOf(adds));
}

function bytesChange(base: Uint8Array, next: Uint8Array): Change | undefined {
  const shorter = Math.min(base.length, next.length);
  let start = 0;
  while (start < shorter && base[start] === next[start]) start++;
  if (start === base.length && start === next.length) return undefined;
  let kept = 0;
  while (kept < shorter - start && base.at(-1 - kept) === next.at(-1 - kept)) kept++;
  const added = next.slice(start, next.length - kept);
  const removed = base.length - kept - start;
  return { patch: [patchTag.bytes, start, removed, added], size: tupleBytes + 6 + added.length };
}
