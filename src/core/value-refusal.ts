/**
 * Why a value is not plain data, and where. This walk runs only after a copy has failed: it may be
 * slow, and it visits parts in the order in which copying does, so that it meets the same fault.
 */
import { TroupeError, textOf } from './errors.ts';
import { isForbiddenKey, standInOf, valueDepthMax, valueItemsMax } from './value-rules.ts';

const keyLengthMax = 40;
const identifierPattern = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** The walk so far: what lies above, and how many items were met. */
interface Walk {
  readonly above: Map<object, string>;
  itemsLeft: number;
}

/** The error for a value that could not be copied; `cause` is what its own code threw, if any. */
export function refusalOf(value: unknown, place: string, cause: unknown): TroupeError {
  let complaint: string | undefined;
  try {
    complaint = complaintAbout(value, place, { above: new Map(), itemsLeft: valueItemsMax });
  } catch (thrown) {
    complaint = `${place} cannot be read (${textOf(thrown)})`;
  }
  complaint ??= `${place} cannot be read${cause === undefined ? '' : ` (${textOf(cause)})`}`;
  return new TroupeError('NOT_SERIALIZABLE', {
    detail: `${complaint}; send plain data instead`,
    cause,
  });
}

/** The path of a property, as one would write it. */
export function pathOf(place: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${place}[${key}]`;
  const text = String(key);
  if (typeof key === 'string' && identifierPattern.test(text) && text.length <= keyLengthMax) {
    return `${place}.${text}`;
  }
  return `${place}[${shortKey(key)}]`;
}

function shortKey(key: unknown): string {
  if (typeof key === 'string') {
    return JSON.stringify(key.length <= keyLengthMax ? key : `${key.slice(0, keyLengthMax)}…`);
  }
  return typeof key === 'object' ? 'an object' : String(key);
}

function complaintAbout(value: unknown, path: string, walk: Walk): string | undefined {
  if (typeof value === 'function') return `${path} is a function`;
  if (typeof value === 'symbol') return `${path} is a symbol`;
  if (typeof value !== 'object' || value === null) return undefined;
  const standIn = standInOf(value);
  const plain = standIn === undefined ? value : standIn.current();
  const seenAt = walk.above.get(plain);
  if (seenAt !== undefined) return `${path} refers back to ${seenAt}, which makes a cycle`;
  if (walk.above.size > valueDepthMax) return `${path} lies deeper than ${valueDepthMax} levels`;
  walk.above.set(plain, path);
  const complaint = complaintAboutParts(plain, path, walk);
  walk.above.delete(plain);
  return complaint;
}

function complaintAboutParts(value: object, path: string, walk: Walk): string | undefined {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) return complaintOfCall(() => (value as Date).getTime(), path);
  if (prototype === Uint8Array.prototype || prototype === Buffer.prototype) {
    return complaintOfCall(() => (value as Uint8Array).slice(), path);
  }
  const parts = partsOf(value, prototype, path);
  if (parts === undefined) return `${path} is ${describeClass(prototype)}`;
  for (const [partPath, part, fault] of parts) {
    walk.itemsLeft--;
    if (walk.itemsLeft < 0) return `${partPath} is the item after the first ${valueItemsMax}`;
    const complaint = fault === undefined ? complaintAbout(part, partPath, walk) : fault;
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function complaintOfCall(call: () => unknown, path: string): string | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    return `${path} cannot be read (${textOf(thrown)})`;
  }
}

function describeClass(prototype: object): string {
  const name: unknown = prototype.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'a class instance';
}

/** A part with its path, and what is wrong with the place itself, whatever stands there. */
type Part = readonly [path: string, part: unknown, fault?: string | undefined];

function partsOf(
  value: object,
  prototype: object | null,
  path: string,
): Iterable<Part> | undefined {
  if (prototype === Object.prototype || prototype === null) return partsOfRecord(value, path);
  if (prototype === Array.prototype && Array.isArray(value)) return partsOfArray(value, path);
  if (prototype === Map.prototype) return partsOfMap(value as Map<unknown, unknown>, path);
  if (prototype === Set.prototype) return partsOfSet(value as Set<unknown>, path);
  return undefined;
}

function* partsOfRecord(value: object, path: string): Iterable<Part> {
  for (const key of Object.keys(value)) {
    const partPath = pathOf(path, key);
    if (isForbiddenKey(key)) {
      yield [partPath, undefined, `${partPath} has a name that could change a prototype`];
    }
    let part: unknown;
    const fault = complaintOfCall(() => {
      part = Reflect.get(value, key);
    }, partPath);
    yield [partPath, part, fault];
  }
}

function* partsOfArray(value: readonly unknown[], path: string): Iterable<Part> {
  for (let index = 0; index < value.length; index++) {
    const partPath = pathOf(path, index);
    const fault = index in value ? undefined : `${partPath} is a hole in the array`;
    yield [partPath, value[index], fault];
  }
}

function* partsOfMap(value: ReadonlyMap<unknown, unknown>, path: string): Iterable<Part> {
  let index = 0;
  for (const [key, item] of value) {
    yield [`${path}.keys()[${index}]`, key];
    yield [`${path}.get(${shortKey(key)})`, item];
    index++;
  }
}

function* partsOfSet(value: ReadonlySet<unknown>, path: string): Iterable<Part> {
  let index = 0;
  for (const item of value) yield [`${path}.values()[${index++}]`, item];
}
