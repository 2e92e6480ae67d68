/**
 * The shape of patches, format 1: tuples of plain data that begin with a number. Trailing empty
 * lists are left out. A published tag never changes its meaning.
 *
 * - `[0, value]`: the whole value.
 * - `[1, sets, nested, deletes]`: an object. `sets` lists key, value, key, value …; `nested` key,
 *   patch, …; `deletes` keys. Deleting comes first; keys that are new are added at the end, in
 *   their order.
 * - `[2, splices, edits]`: an array. `splices` lists start, count removed, items …, each on what
 *   the one before left; then `edits` lists index, patch, ….
 * - `[3, sets, nested, deletes, adds]`: a map. As for objects, but with the places of the base's
 *   entries for keys, since a key may be an object; `adds` lists key, value ….
 * - `[4, deletes, adds]`: a set. Places of the base's members, and new members.
 * - `[5, start, removed, bytes]`: bytes, of which a part was replaced.
 */

/** The tags of patches. */
export const patchTag = { whole: 0, record: 1, array: 2, map: 3, set: 4, bytes: 5 } as const;

/** A change of a value, as plain data. */
export type Patch =
  | readonly [tag: typeof patchTag.whole, value: unknown]
  | readonly [tag: 1 | 2 | 3 | 4, ...lists: readonly (readonly unknown[])[]]
  | readonly [tag: typeof patchTag.bytes, start: number, removed: number, inserted: Uint8Array];

/** What a patch may change a part of; anything else is replaced as a whole. */
export type PatchKind = 'record' | 'array' | 'map' | 'set' | 'bytes' | 'other';

/** Which kind of patch fits a value. */
export function patchKindOf(value: unknown): PatchKind {
  if (typeof value !== 'object' || value === null) return 'other';
  if (Array.isArray(value)) return 'array';
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'record';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  return value instanceof Uint8Array ? 'bytes' : 'other';
}
