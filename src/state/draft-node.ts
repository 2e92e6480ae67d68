/**
 * One place of a draft: a part of the base, what was changed of it, and the drafts handed out for
 * its own parts. What differs between objects, arrays, maps and sets is a {@link DraftKind}.
 *
 * A part is drafted by its place and not by its identity: a base may hold one object in two places,
 * which a reload would make two, and so a change of one must not reach the other.
 */
import { TroupeError } from '../core/errors.ts';
import { equalValues } from '../core/value-equality.ts';
import { type StandIn, standInOf } from '../core/value-rules.ts';
import { copyResolving } from '../core/values.ts';

/** A draft as a whole, as its places see it. */
export interface DraftSession {
  /** Where the value stands, for messages. */
  readonly place: string;
  phase: 'open' | 'closing' | 'closed';
  /** Whether anything may have changed. */
  isDirty: boolean;
  /** Objects of the user's that stand in the draft; they are copied when it closes. */
  foreign: Set<object> | undefined;
  /** Makes a place for a part of the base. */
  readonly create: (session: DraftSession, base: object) => DraftNode;
}

/** What differs between the kinds of containers. */
export interface DraftKind {
  copy(base: object): object;
  put(copy: object, key: unknown, value: unknown): void;
  /** The final value of a node that has a copy: the base when nothing differs. */
  settle(node: DraftNode): object;
  /** Whether parts of it are drafted. Those without parts are copied when they are handed out. */
  readonly hasParts: boolean;
}

/** Which slots of a copy hold more than primitives and parts of the base: a superset of them. */
type Touched = Set<unknown> | 'all' | undefined;

/** One place of a draft. */
export class DraftNode implements StandIn {
  readonly isImmutable = false;
  readonly session: DraftSession;
  readonly kind: DraftKind;
  readonly base: object;
  /** What the user holds. */
  handed: object;
  copy: object | undefined = undefined;
  /** The places handed out while there was no copy. A copy holds them in its slots. */
  children: Map<unknown, DraftNode> | undefined = undefined;
  touched: Touched = undefined;
  /** Called when the copy is made, by those who walk over the base. */
  onCopied: Set<(copy: object) => void> | undefined = undefined;
  result: object | undefined = undefined;
  isSettling = false;

  constructor(session: DraftSession, kind: DraftKind, base: object) {
    this.session = session;
    this.kind = kind;
    this.base = base;
    this.handed = base;
  }

  current(): object {
    if (this.result !== undefined) return this.result;
    if (this.session.phase === 'closed') throw usedAfterEnd(this.session);
    if (this.copy !== undefined) return this.copy;
    return this.children === undefined ? this.base : change(this);
  }
}

/** Refuses the use of a draft that has closed. */
export function assertOpen(session: DraftSession): void {
  if (session.phase !== 'open') throw usedAfterEnd(session);
}

/** The error of a draft that is used after it closed. */
export function usedAfterEnd(session: DraftSession): TroupeError {
  return new TroupeError('HANDLER_FAILED', {
    detail:
      `${session.place} was used after the turn ended; ` +
      'copy what is needed later, and await all work within the turn',
  });
}

/** The copy of a node, made when there is none yet. */
export function change(node: DraftNode): object {
  if (node.copy !== undefined) return node.copy;
  const copy = node.kind.copy(node.base);
  node.copy = copy;
  node.session.isDirty = true;
  if (node.children !== undefined) {
    for (const [key, child] of node.children) {
      node.kind.put(copy, key, child.handed);
      touch(node, key);
    }
    node.children = undefined;
  }
  if (node.onCopied !== undefined) for (const listener of node.onCopied) listener(copy);
  return copy;
}

/** Notes that a slot of the copy holds a draft or something foreign. */
export function touch(node: DraftNode, key: unknown): void {
  if (node.touched === undefined) node.touched = new Set([key]);
  else if (node.touched !== 'all') node.touched.add(key);
}

/** Notes that slots have moved, so that what is known of touched keys no longer holds. */
export function touchMoved(node: DraftNode): void {
  if (node.touched !== undefined) node.touched = 'all';
}

/** What the user gets for the part `value` at `key`. */
export function childOf(node: DraftNode, key: unknown, value: object): object {
  if (node.copy !== undefined) {
    if (isHanded(node.session, value)) return value;
    const child = node.session.create(node.session, value);
    node.kind.put(node.copy, key, child.handed);
    touch(node, key);
    return child.handed;
  }
  const known = node.children?.get(key);
  if (known !== undefined) return known.handed;
  const child = node.session.create(node.session, value);
  if (node.children === undefined) node.children = new Map();
  node.children.set(key, child);
  return child.handed;
}

/** Whether an object in a copy is what the user holds, and no part of the base. */
export function isHanded(session: DraftSession, value: object): boolean {
  return session.foreign?.has(value) === true || standInOf(value) !== undefined;
}

/** What is stored when the user puts `value` into the slot `key` of a node with a copy. */
export function accept(node: DraftNode, key: unknown, value: unknown): unknown {
  const stored = acceptAny(node.session, value);
  const type = typeof stored;
  if ((type === 'object' && stored !== null) || type === 'function' || type === 'symbol') {
    touch(node, key);
  }
  return stored;
}

/** What is stored for a value of the user's; remembers it when it is foreign. */
export function acceptAny(session: DraftSession, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const standIn = standInOf(value);
  if (standIn === undefined) {
    session.foreign ??= new Set();
    session.foreign.add(value);
    return value;
  }
  return standIn.isImmutable ? standIn.current() : value;
}

/** The final value of a node; the base when nothing differs. */
export function settle(node: DraftNode): object {
  if (node.result !== undefined) return node.result;
  if (node.isSettling) throw notPlain('it holds itself');
  node.isSettling = true;
  node.result = node.copy === undefined ? settleChildren(node) : node.kind.settle(node);
  return node.result;
}

function settleChildren(node: DraftNode): object {
  if (!node.kind.hasParts) return settleForeign(node.session, node.handed, node.base) as object;
  if (node.children === undefined) return node.base;
  let copy: object | undefined;
  for (const [key, child] of node.children) {
    const result = settle(child);
    if (result === child.base) continue;
    copy ??= node.kind.copy(node.base);
    node.kind.put(copy, key, result);
  }
  return copy ?? node.base;
}

/** The final value of a slot that held `base` when the draft opened. */
export function settleSlot(session: DraftSession, value: unknown, base: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw notPlain('not plain data');
  if (typeof value !== 'object' || value === null) return value;
  const standIn = standInOf(value);
  if (standIn instanceof DraftNode && standIn.session === session) return settle(standIn);
  if (standIn === undefined && session.foreign?.has(value) !== true) return value;
  return settleForeign(session, value, base);
}

function settleForeign(session: DraftSession, value: unknown, base: unknown): unknown {
  const copy = copyResolving(value, session.place, standIn => {
    if (standIn.isImmutable) return standIn.current();
    return standIn instanceof DraftNode && standIn.session === session
      ? settle(standIn)
      : undefined;
  });
  return equalValues(copy, base) ? base : copy;
}

/** An error for a draft that cannot close; the session replaces it by one that names the path. */
export function notPlain(what: string): TroupeError {
  return new TroupeError('NOT_SERIALIZABLE', { detail: what });
}
