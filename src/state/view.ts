/**
 * Read-only views of accepted state, for reads and tasks: nothing is copied, parts are wrapped when
 * they are looked at, and what would change something says where it may be changed instead.
 */
import { TroupeError } from '../core/errors.ts';
import { pathOf } from '../core/value-refusal.ts';
import { type StandIn, standInKey, standInOf } from '../core/value-rules.ts';
import { delegateSetAlgebra } from './set-algebra.ts';

/** What the views of one value have in common. */
interface ViewRoot {
  readonly place: string;
  /** A part looks the same each time, also to `===`. */
  readonly known: Map<object, object>;
}

/**
 * A deep read-only view of plain data, which must not change any more.
 *
 * @remarks Anything that would change it throws `STATE_READ_ONLY` with the place. Two exceptions
 * lie in the language: a `Date` and bytes are copies, whose methods throw, while writing `bytes[0]`
 * changes the copy alone. `copyValue` of a view copies the data itself.
 * @param place - Where the value stands, for messages: `account/alice.audit: state`.
 */
export function readOnlyView<T>(value: T, place = 'the state'): T {
  if (typeof value !== 'object' || value === null) return value;
  if (standInOf(value)?.isImmutable === true) return value;
  const node = new ViewNode({ place, known: new Map() }, value, undefined, place);
  return viewOf(node) as T; // A view has the shape of what it shows.
}

/** One place of a view; for objects and arrays also the handler of the proxy. */
class ViewNode implements StandIn, ProxyHandler<object> {
  readonly isImmutable = true;
  readonly root: ViewRoot;
  readonly raw: object;
  readonly parent: ViewNode | undefined;
  readonly key: PropertyKey;

  constructor(root: ViewRoot, raw: object, parent: ViewNode | undefined, key: PropertyKey) {
    this.root = root;
    this.raw = raw;
    this.parent = parent;
    this.key = key;
  }

  current(): object {
    return this.raw;
  }

  /** What the user sees of a part. */
  part(key: PropertyKey, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.root.known.get(value);
    if (known !== undefined) return known;
    const view = viewOf(new ViewNode(this.root, value, this, key));
    this.root.known.set(value, view);
    return view;
  }

  get(target: object, key: PropertyKey): unknown {
    if (key === standInKey) return this;
    const value: unknown = (target as Record<PropertyKey, unknown>)[key];
    if (typeof value !== 'object' || value === null) return value;
    // No other object is inherited by plain data, and none has a symbol key.
    return key === '__proto__' || typeof key === 'symbol' ? value : this.part(key, value);
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined) descriptor.value = this.part(key, descriptor.value);
    return descriptor;
  }

  set(_target: object, key: PropertyKey): never {
    throw this.readOnly(key);
  }

  deleteProperty(_target: object, key: PropertyKey): never {
    throw this.readOnly(key);
  }

  defineProperty(_target: object, key: PropertyKey): never {
    throw this.readOnly(key);
  }

  setPrototypeOf(): never {
    throw this.readOnly();
  }

  preventExtensions(): never {
    throw this.readOnly();
  }

  readOnly(key?: PropertyKey): TroupeError {
    const own = this.path();
    const path = key === undefined ? own : pathOf(own, indexOrKey(this.raw, key));
    return new TroupeError('STATE_READ_ONLY', {
      detail:
        `${path} is read-only here; ` +
        'change state in a turn, or with ctx.update(turn => …) in a task',
    });
  }

  path(): string {
    if (this.parent === undefined) return this.root.place;
    return pathOf(this.parent.path(), indexOrKey(this.parent.raw, this.key));
  }
}

function indexOrKey(raw: object, key: PropertyKey): PropertyKey {
  return Array.isArray(raw) && typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : key;
}

function viewOf(node: ViewNode): object {
  const { raw } = node;
  if (raw instanceof Map) return new ViewMap(node, raw);
  if (raw instanceof Set) return new ViewSet(node, raw);
  if (raw instanceof Date) return new ViewDate(node, raw);
  if (raw instanceof Uint8Array) return new ViewBytes(node, raw);
  return new Proxy(Object.isExtensible(raw) ? raw : thawed(raw), node);
}

/** A proxy may not show parts of a frozen target as anything but themselves. */
function thawed(raw: object): object {
  return Array.isArray(raw) ? raw.slice() : { ...raw };
}

class ViewMap extends Map<unknown, unknown> {
  readonly #node: ViewNode;
  readonly #raw: ReadonlyMap<unknown, unknown>;

  constructor(node: ViewNode, raw: ReadonlyMap<unknown, unknown>) {
    super();
    this.#node = node;
    this.#raw = raw;
  }

  get [standInKey](): ViewNode {
    return this.#node;
  }

  override get size(): number {
    return this.#raw.size;
  }

  override has(key: unknown): boolean {
    return this.#raw.has(rawOf(key));
  }

  override get(key: unknown): unknown {
    const raw = rawOf(key);
    return this.#node.part(keyName(raw), this.#raw.get(raw));
  }

  override *entries(): MapIterator<[unknown, unknown]> {
    for (const [key, value] of this.#raw) {
      yield [this.#node.part('a key', key), this.#node.part(keyName(key), value)];
    }
  }

  override *keys(): MapIterator<unknown> {
    for (const key of this.#raw.keys()) yield this.#node.part('a key', key);
  }

  override *values(): MapIterator<unknown> {
    for (const [key, value] of this.#raw) yield this.#node.part(keyName(key), value);
  }

  override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
    return this.entries();
  }

  override forEach(
    callback: (value: unknown, key: unknown, map: Map<unknown, unknown>) => void,
    self?: unknown,
  ): void {
    for (const [key, value] of this.entries()) callback.call(self, value, key, this);
  }
}

class ViewSet extends Set<unknown> {
  readonly #node: ViewNode;
  readonly #raw: ReadonlySet<unknown>;

  constructor(node: ViewNode, raw: ReadonlySet<unknown>) {
    super();
    this.#node = node;
    this.#raw = raw;
  }

  get [standInKey](): ViewNode {
    return this.#node;
  }

  override get size(): number {
    return this.#raw.size;
  }

  override has(value: unknown): boolean {
    return this.#raw.has(rawOf(value));
  }

  override *values(): SetIterator<unknown> {
    for (const value of this.#raw) yield this.#node.part('a member', value);
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
    callback: (value: unknown, key: unknown, set: Set<unknown>) => void,
    self?: unknown,
  ): void {
    for (const value of this.values()) callback.call(self, value, value, this);
  }
}

class ViewDate extends Date {
  readonly #node: ViewNode;

  constructor(node: ViewNode, raw: Date) {
    super(raw.getTime());
    this.#node = node;
  }

  get [standInKey](): ViewNode {
    return this.#node;
  }
}

class ViewBytes extends Uint8Array {
  /** What `slice` and `map` make is the user's own. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  readonly #node: ViewNode;

  constructor(node: ViewNode, raw: Uint8Array) {
    super(raw);
    this.#node = node;
  }

  get [standInKey](): ViewNode {
    return this.#node;
  }
}

function rawOf(key: unknown): unknown {
  if (typeof key !== 'object' || key === null) return key;
  const standIn = standInOf(key);
  return standIn?.isImmutable === true ? standIn.current() : key;
}

function keyName(key: unknown): PropertyKey {
  return typeof key === 'string' || typeof key === 'number' ? key : 'an entry';
}

function refuse(prototype: object, names: readonly string[]): void {
  for (const name of names) {
    Object.defineProperty(prototype, name, {
      value(this: object): never {
        const node = standInOf(this) as ViewNode; // Only views have these methods.
        throw node.readOnly();
      },
    });
  }
}

delegateSetAlgebra(ViewSet.prototype);
refuse(ViewMap.prototype, ['set', 'delete', 'clear']);
refuse(ViewSet.prototype, ['add', 'delete', 'clear']);
refuse(ViewBytes.prototype, ['set', 'fill', 'sort', 'reverse', 'copyWithin']);
refuse(
  ViewDate.prototype,
  Object.getOwnPropertyNames(Date.prototype).filter(name => name.startsWith('set')),
);
for (const { prototype } of [ViewMap, ViewSet]) {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: object) {
      return standInOf(this)?.current();
    },
  });
}
