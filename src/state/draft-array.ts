/**
 * The methods that change an array, for drafts: each works on the copy at once. The built-in ones
 * would go through a trap for every element they move, and draft every object among these.
 */
import { standInOf } from '../core/value-rules.ts';
import {
  accept,
  acceptAny,
  assertOpen,
  change,
  childOf,
  type DraftNode,
  isHanded,
  touch,
  touchMoved,
} from './draft-node.ts';

type Compare = (a: unknown, b: unknown) => number;

/** The methods, by name. Each expects the draft of an array as `this`. */
export const arrayMutators: ReadonlyMap<PropertyKey, unknown> = new Map<PropertyKey, unknown>([
  ['push', push],
  ['pop', pop],
  ['shift', shift],
  ['unshift', unshift],
  ['splice', splice],
  ['sort', sort],
  ['reverse', reverse],
  ['fill', fill],
  ['copyWithin', copyWithin],
]);

function openNode(draft: object): DraftNode {
  const node = standInOf(draft) as DraftNode; // Only the trap of an array's draft hands these out.
  assertOpen(node.session);
  return node;
}

function itemsOf(node: DraftNode): readonly unknown[] {
  return (node.copy ?? node.base) as readonly unknown[];
}

function changeItems(node: DraftNode): unknown[] {
  return change(node) as unknown[];
}

/** What the user gets for an element that is being removed. */
function takeOut(node: DraftNode, index: number): unknown {
  const value = itemsOf(node)[index];
  if (typeof value !== 'object' || value === null) return value;
  const isKnown =
    node.copy === undefined
      ? node.children?.has(String(index)) === true
      : isHanded(node.session, value);
  // A draft that stands nowhere leaves no slot behind that has to be looked at when all closes.
  return isKnown
    ? childOf(node, String(index), value)
    : node.session.create(node.session, value).handed;
}

function acceptMoved(node: DraftNode, values: readonly unknown[]): unknown[] {
  return values.map(value => {
    const stored = acceptAny(node.session, value);
    if (typeof stored === 'object' || typeof stored === 'function') touch(node, 'moved');
    return stored;
  });
}

function push(this: object, ...values: unknown[]): number {
  const node = openNode(this);
  if (values.length === 0) return itemsOf(node).length;
  const items = changeItems(node);
  for (const value of values) items.push(accept(node, String(items.length), value));
  return items.length;
}

function pop(this: object): unknown {
  const node = openNode(this);
  const { length } = itemsOf(node);
  if (length === 0) return undefined;
  const last = takeOut(node, length - 1);
  changeItems(node).pop();
  return last;
}

function shift(this: object): unknown {
  const node = openNode(this);
  if (itemsOf(node).length === 0) return undefined;
  const first = takeOut(node, 0);
  changeItems(node).shift();
  touchMoved(node);
  return first;
}

function unshift(this: object, ...values: unknown[]): number {
  const node = openNode(this);
  if (values.length === 0) return itemsOf(node).length;
  const items = changeItems(node);
  items.unshift(...acceptMoved(node, values));
  touchMoved(node);
  return items.length;
}

function splice(this: object, ...range: unknown[]): unknown[] {
  const node = openNode(this);
  const [start, count, ...values] = range;
  const { length } = itemsOf(node);
  const from = clampIndex(start, length);
  const most = length - from;
  const removedCount =
    range.length < 2 ? (range.length === 0 ? 0 : most) : Math.min(toCount(count), most);
  const removed: unknown[] = [];
  for (let index = from; index < from + removedCount; index++) removed.push(takeOut(node, index));
  if (removedCount === 0 && values.length === 0) return removed;
  changeItems(node).splice(from, removedCount, ...acceptMoved(node, values));
  touchMoved(node);
  return removed;
}

function clampIndex(value: unknown, length: number): number {
  const index = Math.trunc(Number(value)) || 0;
  return index < 0 ? Math.max(length + index, 0) : Math.min(index, length);
}

function toCount(value: unknown): number {
  return Math.max(Math.trunc(Number(value)) || 0, 0);
}

function sort(this: object, compare?: Compare): object {
  const node = openNode(this);
  const items = changeItems(node);
  // The comparison is the user's code: it may see drafts, never the base.
  if (compare !== undefined) draftAll(node, items);
  items.sort(compare);
  touchMoved(node);
  return this;
}

function draftAll(node: DraftNode, items: readonly unknown[]): void {
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (typeof item === 'object' && item !== null) childOf(node, String(index), item);
  }
}

function reverse(this: object): object {
  const node = openNode(this);
  changeItems(node).reverse();
  touchMoved(node);
  return this;
}

function fill(this: object, value: unknown, start?: number, end?: number): object {
  const node = openNode(this);
  const [stored] = acceptMoved(node, [value]);
  changeItems(node).fill(stored, start, end);
  touchMoved(node);
  return this;
}

function copyWithin(this: object, to: number, start: number, end?: number): object {
  const node = openNode(this);
  changeItems(node).copyWithin(to, start, end);
  touchMoved(node);
  return this;
}
