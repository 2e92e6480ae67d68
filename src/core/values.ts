/**
 * Plain data: what messages, states and records are made of. Copying and checking are one walk,
 * since every value that crosses an agent's boundary needs both. What to say about a value that is
 * refused is left to `value-refusal.ts`, so that a good value never pays for a path.
 */
import { TroupeError } from './errors.ts';
import { refusalOf } from './value-refusal.ts';
import {
  isForbiddenKey,
  type StandIn,
  standInOf,
  valueDepthMax,
  valueItemsMax,
} from './value-rules.ts';

/**
 * Decides what takes the place of a stand-in; `undefined` asks for a copy of what it stands for.
 */
export type ResolveStandIn = (standIn: StandIn) => unknown;

/** Thrown within a walk, and replaced by an error that names the path. */
const refused: TroupeError = new TroupeError('NOT_SERIALIZABLE', { detail: 'not plain data' });

let itemsLeft = 0;

/**
 * A deep copy of plain data.
 *
 * @remarks Plain data is `null`, `undefined`, booleans, numbers, strings, bigints, `Date`, `Map`,
 * `Set`, `Uint8Array`, arrays without holes, and objects whose prototype is `Object.prototype` or
 * `null` (both become ordinary objects, as they would on a wire). A `Buffer` becomes a
 * `Uint8Array`. Drafts and views are copied as what they stand for. An object met twice is copied
 * twice. A getter is read once and its value copied; symbol keys, properties that are not
 * enumerable, and named properties of arrays are no data and are left out.
 * @param place - Where the value stands, for the message: `account/alice.move: input`.
 * @throws `NOT_SERIALIZABLE` with the path of anything else, of a cycle, of the keys `__proto__`,
 * `constructor` and `prototype`, and of what exceeds {@link valueDepthMax} or {@link
 * valueItemsMax}.
 */
export function copyValue<T>(value: T, place: string): T {
  if ((typeof value !== 'object' || value === null) && isPrimitive(value)) return value;
  return copyResolving(value, place, undefined) as T; // A copy has the type of its original.
}

/**
 * Like {@link copyValue}, but `resolve` may put something else in the place of stand-ins.
 *
 * @throws `NOT_SERIALIZABLE` as {@link copyValue} does.
 */
export function copyResolving(
  value: unknown,
  place: string,
  resolve: ResolveStandIn | undefined,
): unknown {
  const outerItemsLeft = itemsLeft;
  itemsLeft = valueItemsMax;
  try {
    return copyAny(value, 0, resolve);
  } catch (thrown) {
    if (TroupeError.is(thrown) && thrown !== refused) throw thrown;
    throw refusalOf(value, place, thrown === refused ? undefined : thrown);
  } finally {
    itemsLeft = outerItemsLeft;
  }
}

/** Whether a value is plain data without parts. */
export function isPrimitive(value: unknown): boolean {
  const type = typeof value;
  return value === null || (type !== 'object' && type !== 'function' && type !== 'symbol');
}

function copyAny(value: unknown, depth: number, resolve: ResolveStandIn | undefined): unknown {
  if (typeof value === 'object' && value !== null) return copyObject(value, depth, resolve);
  if (typeof value === 'function' || typeof value === 'symbol') throw refused;
  return value;
}

function copyObject(value: object, depth: number, resolve: ResolveStandIn | undefined): unknown {
  const standIn = standInOf(value);
  if (standIn !== undefined) return copyStandIn(standIn, depth, resolve);
  if (--itemsLeft < 0 || depth > valueDepthMax) throw refused;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return copyRecord(value, depth, resolve);
  }
  if (prototype === Array.prototype && Array.isArray(value)) {
    return copyArray(value, depth, resolve);
  }
  return copyBuiltIn(value, prototype, depth, resolve);
}

function copyStandIn(
  standIn: StandIn,
  depth: number,
  resolve: ResolveStandIn | undefined,
): unknown {
  return resolve?.(standIn) ?? copyObject(standIn.current(), depth, resolve);
}

function copyRecord(
  value: object,
  depth: number,
  resolve: ResolveStandIn | undefined,
): Record<string, unknown> {
  // Spreading would be a little faster, but takes symbol keys along, with whatever stands there.
  const copy: Record<string, unknown> = {};
  const original = value as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const key in original) {
    count++;
    if (isForbiddenKey(key)) throw refused;
    const item = original[key];
    if (typeof item === 'object' && item !== null) copy[key] = copyObject(item, depth + 1, resolve);
    else if (typeof item === 'function' || typeof item === 'symbol') throw refused;
    else copy[key] = item;
  }
  itemsLeft -= count;
  if (itemsLeft < 0) throw refused;
  return copy;
}

function copyArray(
  value: readonly unknown[],
  depth: number,
  resolve: ResolveStandIn | undefined,
): unknown[] {
  itemsLeft -= value.length;
  if (itemsLeft < 0) throw refused;
  const copy = value.slice();
  for (let index = 0; index < copy.length; index++) {
    const item = copy[index];
    if (typeof item === 'object') {
      if (item !== null) copy[index] = copyObject(item, depth + 1, resolve);
    } else if (item === undefined ? !(index in copy) : !isPrimitive(item)) throw refused;
  }
  return copy;
}

function copyBuiltIn(
  value: object,
  prototype: object,
  depth: number,
  resolve: ResolveStandIn | undefined,
): unknown {
  // The prototype is compared, not `instanceof`: a subclass would lose its class on the way.
  switch (prototype) {
    case Date.prototype:
      return new Date((value as Date).getTime());
    case Uint8Array.prototype:
      return (value as Uint8Array).slice();
    case Buffer.prototype:
      return new Uint8Array(value as Uint8Array);
    case Map.prototype:
      return copyMap(value as Map<unknown, unknown>, depth + 1, resolve);
    case Set.prototype:
      return copySet(value as Set<unknown>, depth + 1, resolve);
    default:
      throw refused;
  }
}

function copyMap(
  value: ReadonlyMap<unknown, unknown>,
  depth: number,
  resolve: ResolveStandIn | undefined,
): Map<unknown, unknown> {
  itemsLeft -= value.size;
  if (itemsLeft < 0) throw refused;
  const copy = new Map<unknown, unknown>();
  for (const [key, item] of value) {
    copy.set(copyAny(key, depth, resolve), copyAny(item, depth, resolve));
  }
  return copy;
}

function copySet(
  value: ReadonlySet<unknown>,
  depth: number,
  resolve: ResolveStandIn | undefined,
): Set<unknown> {
  itemsLeft -= value.size;
  if (itemsLeft < 0) throw refused;
  const copy = new Set<unknown>();
  for (const item of value) copy.add(copyAny(item, depth, resolve));
  return copy;
}

export { equalValues } from './value-equality.ts';
export { previewOf } from './value-preview.ts';
export { valueDepthMax, valueItemsMax } from './value-rules.ts';
