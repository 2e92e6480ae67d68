/**
 * Drafts: what a turn changes. The user changes a draft as if it were the state; only what is
 * touched is copied, the base stays as it is, and the next state shares with it all that did not
 * change.
 */
import { TroupeError } from '../core/errors.ts';
import { refusalOf } from '../core/value-refusal.ts';
import { draftMap, draftSet } from './draft-collection.ts';
import {
  acceptAny,
  assertOpen,
  type DraftKind,
  DraftNode,
  type DraftSession,
  settleSlot,
} from './draft-node.ts';
import { draftArray, draftRecord } from './draft-record.ts';

export { readOnlyView } from './view.ts';

/** A draft of a value. */
export interface Draft<T> {
  /**
   * The value, to be changed freely.
   *
   * @throws `HANDLER_FAILED` when the draft has closed; so does everything reached through it.
   */
  readonly state: T;
  /** Whether the draft may still be used. */
  readonly isOpen: boolean;
  /** Puts another value, which may hold parts of `state`, in the place of the whole. */
  replace(value: T): void;
  /**
   * Ends the draft and gives the next value: the base itself when nothing differs.
   *
   * @remarks Objects of the user's are copied, so that nothing the user holds reaches the value.
   * Differences in the order of keys, entries and members count.
   * @throws `NOT_SERIALIZABLE` with the path of what is no plain data. The draft has ended then,
   * too.
   */
  close(): T;
  /** Ends the draft without a result. */
  discard(): void;
}

/**
 * Opens a draft of a value, which must be plain data and must not change while anybody uses it.
 *
 * @remarks A part that is put elsewhere within the draft is the same draft in both places until it
 * closes. Keys of a `Map` and members of a `Set` that are objects are read-only. A key that is a
 * symbol, a getter, or a name such as `__proto__` is refused at once, everything else that is no
 * plain data when the draft closes.
 * @param place - Where the value stands, for messages: `account/alice.move: state`.
 */
export function openDraft<T>(base: T, place = 'the state'): Draft<T> {
  return new ValueDraft(base, place);
}

class ValueDraft<T> implements Draft<T>, DraftSession {
  readonly place: string;
  readonly create: DraftSession['create'] = createNode;
  phase: DraftSession['phase'] = 'open';
  isDirty = false;
  foreign: Set<object> | undefined = undefined;
  readonly #base: T;
  #root: unknown;
  /** Whether the root is what the user holds, and not the base or a part of it. */
  #isHanded = false;

  constructor(base: T, place: string) {
    this.place = place;
    this.#base = base;
    this.#root = base;
  }

  get isOpen(): boolean {
    return this.phase === 'open';
  }

  get state(): T {
    assertOpen(this);
    if (!this.#isHanded && typeof this.#root === 'object' && this.#root !== null) {
      this.#root = createNode(this, this.#root).handed;
      this.#isHanded = true;
    }
    return this.#root as T; // A draft has the shape of its base.
  }

  replace(value: T): void {
    assertOpen(this);
    const stored = acceptAny(this, value);
    this.#root = stored;
    // What a view stood for is not the user's to change, and is drafted when it is looked at.
    this.#isHanded = stored === value;
    this.isDirty = true;
  }

  close(): T {
    assertOpen(this);
    this.phase = 'closing';
    try {
      return (this.isDirty ? this.#settle() : this.#base) as T;
    } finally {
      this.phase = 'closed';
    }
  }

  discard(): void {
    this.phase = 'closed';
  }

  #settle(): unknown {
    try {
      return settleSlot(this, this.#root, this.#base);
    } catch (thrown) {
      if (TroupeError.is(thrown) && thrown.code !== 'NOT_SERIALIZABLE') throw thrown;
      throw refusalOf(this.#root, this.place, undefined);
    }
  }
}

function createNode(session: DraftSession, base: object): DraftNode {
  if (Array.isArray(base)) return draftArray(session, base);
  if (base instanceof Map) return draftMap(session, base);
  if (base instanceof Set) return draftSet(session, base);
  if (base instanceof Date) return draftLeaf(session, base, new Date(base.getTime()));
  if (base instanceof Uint8Array) return draftLeaf(session, base, base.slice());
  return draftRecord(session, base);
}

const leafKind: DraftKind = {
  hasParts: false,
  copy: base => base,
  put() {},
  settle: node => node.base,
};

/** Dates and bytes have no parts: they are copied when handed out, and compared at the end. */
function draftLeaf(session: DraftSession, base: object, handed: object): DraftNode {
  const node = new DraftNode(session, leafKind, base);
  node.handed = handed;
  session.foreign ??= new Set();
  session.foreign.add(handed);
  session.isDirty = true;
  return node;
}
