/**
 * Drafts of objects and arrays: proxies whose target only carries the node, so that nothing of the
 * base is frozen, marked or handed out. Arrays add methods of their own (`draft-array.ts`).
 */
import { TroupeError } from '../core/errors.ts';
import { pathOf } from '../core/value-refusal.ts';
import { isForbiddenKey, standInKey, standInOf } from '../core/value-rules.ts';
import { arrayMutators } from './draft-array.ts';
import {
  accept,
  assertOpen,
  change,
  childOf,
  type DraftKind,
  DraftNode,
  type DraftSession,
  notPlain,
  settleSlot,
  touch,
} from './draft-node.ts';

type Slots = Record<PropertyKey, unknown>;

interface Target {
  node: DraftNode;
}

const inspectKey: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/**
 * Lets `console.log` show the data; it looks at the target of a proxy and not through its traps.
 */
function inspectDraft(this: object): unknown {
  const node = standInOf(this);
  return node instanceof DraftNode && node.session.phase !== 'closed'
    ? node.current()
    : '[a draft whose turn ended]';
}

class RecordTarget implements Target {
  readonly node: DraftNode;

  constructor(node: DraftNode) {
    this.node = node;
  }
}
Object.defineProperty(RecordTarget.prototype, inspectKey, { value: inspectDraft });

/** Makes the draft of an object. */
export function draftRecord(session: DraftSession, base: object): DraftNode {
  const node = new DraftNode(session, recordKind, base);
  node.handed = new Proxy(new RecordTarget(node), recordTraps);
  return node;
}

/** Makes the draft of an array. */
export function draftArray(session: DraftSession, base: object): DraftNode {
  const node = new DraftNode(session, arrayKind, base);
  // An array as target, for `Array.isArray`.
  const target = Object.assign([], { node, [inspectKey]: inspectDraft });
  node.handed = new Proxy<Target>(target, arrayTraps);
  return node;
}

function slotsOf(node: DraftNode): Slots {
  return (node.copy ?? node.base) as Slots;
}

const recordKind: DraftKind = {
  hasParts: true,
  copy: base => ({ ...base }),
  put: putSlot,
  settle(node) {
    settleTouched(node, node.touched === 'all' ? undefined : node.touched);
    return isSameRecord(slotsOf(node), node.base as Slots) ? node.base : slotsOf(node);
  },
};

const arrayKind: DraftKind = {
  hasParts: true,
  copy: base => (base as unknown[]).slice(),
  put: putSlot,
  settle(node) {
    const items = node.copy as unknown[];
    if (node.touched === 'all') settleAll(node, items);
    else settleTouched(node, node.touched);
    return isSameArray(items, node.base as unknown[]) ? node.base : items;
  },
};

function putSlot(copy: object, key: unknown, value: unknown): void {
  (copy as Slots)[key as PropertyKey] = value;
}

function settleTouched(node: DraftNode, keys: Set<unknown> | undefined): void {
  if (keys === undefined) return;
  const slots = slotsOf(node);
  const base = node.base as Slots;
  for (const key of keys as Set<PropertyKey>) {
    // What was deleted again is gone.
    if (Object.hasOwn(slots, key)) slots[key] = settleSlot(node.session, slots[key], base[key]);
  }
}

function settleAll(node: DraftNode, items: unknown[]): void {
  const base = node.base as unknown[];
  for (let index = 0; index < items.length; index++) {
    if (items[index] === undefined && !(index in items)) throw notPlain('an array with a hole');
    items[index] = settleSlot(node.session, items[index], base[index]);
  }
}

/** The order of keys counts: what is kept must iterate as what is reloaded. */
function isSameRecord(a: Slots, b: Slots): boolean {
  for (const key in a) if (!Object.is(a[key], b[key])) return false;
  const keys = Object.keys(b);
  let index = 0;
  for (const key in a) if (keys[index++] !== key) return false;
  return index === keys.length;
}

function isSameArray(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!Object.is(a[index], b[index])) return false;
  return true;
}

function getSlot({ node }: Target, key: PropertyKey): unknown {
  if (key === standInKey) return node;
  if (node.session.phase !== 'open') assertOpen(node.session);
  const value = slotsOf(node)[key];
  if (typeof value !== 'object' || value === null) return value;
  // No other object is inherited by plain data, and none has a symbol key.
  return key === '__proto__' || typeof key === 'symbol' ? value : childOf(node, key, value);
}

function getArraySlot(target: Target, key: PropertyKey): unknown {
  const value = getSlot(target, key);
  return typeof value === 'function' ? (arrayMutators.get(key) ?? value) : value;
}

function setSlot({ node }: Target, key: PropertyKey, value: unknown): boolean {
  assertOpen(node.session);
  if (typeof key === 'symbol' || isForbiddenKey(key as string)) throw badKey(node, key);
  const slots = slotsOf(node);
  if (isHeld(node, slots, key, value)) return true;
  (change(node) as Slots)[key] = accept(node, key, value);
  return true;
}

/** Whether the slot holds the value already, so that nothing has to be copied. */
function isHeld(node: DraftNode, slots: Slots, key: PropertyKey, value: unknown): boolean {
  if (typeof value === 'object' && value !== null && node.copy === undefined) {
    return node.children?.get(key)?.handed === value;
  }
  return Object.is(slots[key], value) && (value !== undefined || Object.hasOwn(slots, key));
}

function setArraySlot(target: Target, key: PropertyKey, value: unknown): boolean {
  const { node } = target;
  assertOpen(node.session);
  const length = (slotsOf(node) as unknown as unknown[]).length;
  if (key === 'length') {
    if (value === length) return true;
    (change(node) as unknown[]).length = value as number; // Throws when it is no length.
    if ((value as number) > length) leaveHoles(node);
    return true;
  }
  const index = typeof key === 'string' ? Number(key) >>> 0 : -1;
  if (String(index) !== key) throw badKey(node, key);
  if (index > length) leaveHoles(node);
  return setSlot(target, key, value);
}

/** Holes may be filled until the draft closes: all slots are looked at then. */
function leaveHoles(node: DraftNode): void {
  change(node);
  touch(node, 0);
  node.touched = 'all';
}

function badKey(node: DraftNode, key: PropertyKey): TroupeError {
  const path = pathOf(`a part of ${node.session.place}`, key);
  return new TroupeError('NOT_SERIALIZABLE', {
    detail: `${path} cannot be stored under that name; use another key, or a Map`,
  });
}

function notSupported(node: DraftNode, what: string): TroupeError {
  return new TroupeError('HANDLER_FAILED', {
    detail: `${node.session.place} does not support ${what}; assign plain values instead`,
  });
}

const recordTraps: ProxyHandler<Target> = {
  get: getSlot,
  set: setSlot,
  has({ node }, key) {
    assertOpen(node.session);
    return key in slotsOf(node);
  },
  deleteProperty({ node }, key) {
    assertOpen(node.session);
    if (!Object.hasOwn(slotsOf(node), key)) return true;
    if (node.kind === arrayKind) leaveHoles(node);
    return Reflect.deleteProperty(change(node), key);
  },
  ownKeys({ node }) {
    assertOpen(node.session);
    return Reflect.ownKeys(slotsOf(node));
  },
  getOwnPropertyDescriptor({ node }, key) {
    assertOpen(node.session);
    const descriptor = Reflect.getOwnPropertyDescriptor(slotsOf(node), key);
    if (descriptor === undefined || (key === 'length' && node.kind === arrayKind)) {
      return descriptor;
    }
    const { value } = descriptor;
    return {
      value: typeof value === 'object' && value !== null ? childOf(node, key, value) : value,
      enumerable: descriptor.enumerable === true,
      writable: true,
      configurable: true,
    };
  },
  getPrototypeOf({ node }) {
    return Array.isArray(node.base) ? Array.prototype : Object.prototype;
  },
  defineProperty({ node }) {
    throw notSupported(node, 'defining properties');
  },
  setPrototypeOf({ node }) {
    throw notSupported(node, 'another prototype');
  },
  preventExtensions({ node }) {
    throw notSupported(node, 'freezing');
  },
};

const arrayTraps: ProxyHandler<Target> = { ...recordTraps, get: getArraySlot, set: setArraySlot };
