/**
 * Drafts of `Map` and `Set`: subclasses with no entries of their own, since the built-in methods
 * refuse proxies. Values of a map are drafted; its keys, and the members of a set, are what the
 * collection looks things up by, and so they are handed out read-only.
 */
import { equalValues } from '../core/value-equality.ts';
import { standInKey, standInOf } from '../core/value-rules.ts';
import { isPrimitive } from '../core/values.ts';
import {
  accept,
  acceptAny,
  assertOpen,
  change,
  childOf,
  type DraftKind,
  DraftNode,
  type DraftSession,
  isHanded,
  settleSlot,
} from './draft-node.ts';
import { delegateSetAlgebra } from './set-algebra.ts';
import { readOnlyView } from './view.ts';

type AnyMap = Map<unknown, unknown>;
type AnySet = Set<unknown>;

/** Makes the draft of a map. */
export function draftMap(session: DraftSession, base: object): DraftNode {
  const node = new DraftNode(session, mapKind, base);
  node.handed = new DraftMap(node);
  return node;
}

/** Makes the draft of a set. */
export function draftSet(session: DraftSession, base: object): DraftNode {
  const node = new DraftNode(session, setKind, base);
  node.handed = new DraftSet(node);
  return node;
}

const mapKind: DraftKind = {
  hasParts: true,
  copy: base => new Map(base as AnyMap),
  put(copy, key, value) {
    (copy as AnyMap).set(key, value);
  },
  settle(node) {
    const map = node.touched === 'all' ? rebuiltMap(node) : settledMap(node);
    return equalEntries(map, node.base as AnyMap) ? node.base : map;
  },
};

const setKind: DraftKind = {
  hasParts: true,
  copy: base => new Set(base as AnySet),
  put(copy, _key, value) {
    (copy as AnySet).add(value);
  },
  settle(node) {
    const copy = node.copy as AnySet;
    const isPlain = node.touched === undefined;
    const set = isPlain ? copy : new Set([...copy].map(item => settled(node, item)));
    return equalValues(set, node.base) ? node.base : set;
  },
};

function settled(node: DraftNode, value: unknown): unknown {
  return settleSlot(node.session, value, undefined);
}

function settledMap(node: DraftNode): AnyMap {
  const map = node.copy as AnyMap;
  const base = node.base as AnyMap;
  for (const key of node.touched === 'all' ? [] : (node.touched ?? [])) {
    if (map.has(key)) map.set(key, settleSlot(node.session, map.get(key), base.get(key)));
  }
  return map;
}

/** A map into which the user put keys that are objects: these are replaced by their copies. */
function rebuiltMap(node: DraftNode): AnyMap {
  const base = node.base as AnyMap;
  const map: AnyMap = new Map();
  for (const [key, value] of node.copy as AnyMap) {
    map.set(settled(node, key), settleSlot(node.session, value, base.get(key)));
  }
  return map;
}

function equalEntries(a: AnyMap, b: AnyMap): boolean {
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [key, value] of a) {
    const other = others.next().value as [unknown, unknown]; // Both have the same size.
    if (!Object.is(key, other[0]) || !Object.is(value, other[1])) return false;
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The key under which the collection holds what the user names. */
function innerKey(key: unknown): unknown {
  if (!isObject(key)) return key;
  const standIn = standInOf(key);
  return standIn?.isImmutable === true ? standIn.current() : key;
}

/** What the user gets for a key of a map or a member of a set. */
function outerKey(node: DraftNode, key: unknown): unknown {
  if (!isObject(key) || isHanded(node.session, key)) return key;
  return readOnlyView(key, `a key or member in ${node.session.place}`);
}

/**
 * Walks over the entries as the built-in iterators do: what is added meanwhile is visited, what is
 * deleted is not. When the copy is made on the way, the walk goes on there, at the same place.
 */
function* walk<T>(node: DraftNode, entriesOf: (source: object) => Iterator<T>): Generator<T> {
  assertOpen(node.session);
  let entries = entriesOf(node.copy ?? node.base);
  let count = 0;
  const follow = (copy: object): void => {
    entries = entriesOf(copy);
    for (let skipped = 0; skipped < count; skipped++) entries.next();
  };
  node.onCopied ??= new Set();
  node.onCopied.add(follow);
  try {
    for (let step = entries.next(); step.done !== true; step = entries.next()) {
      count++;
      yield step.value;
      assertOpen(node.session);
    }
  } finally {
    node.onCopied.delete(follow);
  }
}

class DraftMap extends Map<unknown, unknown> {
  readonly #node: DraftNode;

  constructor(node: DraftNode) {
    super();
    this.#node = node;
  }

  get [standInKey](): DraftNode {
    return this.#node;
  }

  get #source(): AnyMap {
    assertOpen(this.#node.session);
    return (this.#node.copy ?? this.#node.base) as AnyMap;
  }

  override get size(): number {
    return this.#source.size;
  }

  override has(key: unknown): boolean {
    return this.#source.has(innerKey(key));
  }

  override get(key: unknown): unknown {
    const inner = innerKey(key);
    return this.#part(inner, this.#source.get(inner));
  }

  override set(key: unknown, value: unknown): this {
    const node = this.#node;
    const inner = innerKey(key);
    const held = this.#source.get(inner);
    if (isObject(value) && node.copy === undefined) {
      if (node.children?.get(inner)?.handed === value) return this;
    } else if (Object.is(held, value) && this.#source.has(inner)) return this;
    const isKnown = this.#source.has(inner);
    const map = change(node) as AnyMap;
    if (isKnown || isPrimitive(inner)) {
      map.set(inner, accept(node, inner, value));
      return this;
    }
    map.set(acceptAny(node.session, inner), acceptAny(node.session, value));
    node.touched = 'all';
    return this;
  }

  override delete(key: unknown): boolean {
    const inner = innerKey(key);
    return this.#source.has(inner) && (change(this.#node) as AnyMap).delete(inner);
  }

  override clear(): void {
    if (this.#source.size > 0) (change(this.#node) as AnyMap).clear();
  }

  override *entries(): MapIterator<[unknown, unknown]> {
    const entriesOf = (source: object): Iterator<[unknown, unknown]> =>
      (source as AnyMap).entries();
    for (const [key, value] of walk(this.#node, entriesOf)) {
      yield [outerKey(this.#node, key), this.#part(key, value)];
    }
  }

  override *keys(): MapIterator<unknown> {
    const keysOf = (source: object): Iterator<unknown> => (source as AnyMap).keys();
    for (const key of walk(this.#node, keysOf)) yield outerKey(this.#node, key);
  }

  override *values(): MapIterator<unknown> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
    return this.entries();
  }

  override forEach(
    callback: (value: unknown, key: unknown, map: AnyMap) => void,
    self?: unknown,
  ): void {
    for (const [key, value] of this.entries()) callback.call(self, value, key, this);
  }

  #part(key: unknown, value: unknown): unknown {
    return isObject(value) ? childOf(this.#node, key, value) : value;
  }
}

class DraftSet extends Set<unknown> {
  readonly #node: DraftNode;

  constructor(node: DraftNode) {
    super();
    this.#node = node;
  }

  get [standInKey](): DraftNode {
    return this.#node;
  }

  get #source(): AnySet {
    assertOpen(this.#node.session);
    return (this.#node.copy ?? this.#node.base) as AnySet;
  }

  override get size(): number {
    return this.#source.size;
  }

  override has(value: unknown): boolean {
    return this.#source.has(innerKey(value));
  }

  override add(value: unknown): this {
    const inner = innerKey(value);
    if (this.#source.has(inner)) return this;
    const set = change(this.#node) as AnySet;
    set.add(accept(this.#node, inner, inner));
    return this;
  }

  override delete(value: unknown): boolean {
    const inner = innerKey(value);
    return this.#source.has(inner) && (change(this.#node) as AnySet).delete(inner);
  }

  override clear(): void {
    if (this.#source.size > 0) (change(this.#node) as AnySet).clear();
  }

  override *values(): SetIterator<unknown> {
    const valuesOf = (source: object): Iterator<unknown> => (source as AnySet).values();
    for (const value of walk(this.#node, valuesOf)) yield outerKey(this.#node, value);
  }

  override keys(): SetIterator<unknown> {
    return this.values();
  }

  override *entries(): SetIterator<[unknown, unknown]> {
    for (const value of this.values()) yield [value, value];
  }

  override [Symbol.iterator](): SetIterator<unknown> {
    return this.values();
  }

  override forEach(
    callback: (value: unknown, key: unknown, set: AnySet) => void,
    self?: unknown,
  ): void {
    for (const value of this.values()) callback.call(self, value, value, this);
  }
}

delegateSetAlgebra(DraftSet.prototype);
for (const prototype of [DraftMap.prototype, DraftSet.prototype]) {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: object) {
      return standInOf(this)?.current();
    },
  });
}
