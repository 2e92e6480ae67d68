/**
 * `union` and its kin for sets that keep their members elsewhere: the built-in methods look at the
 * set's own storage, which is empty there, and so they are called on a real set instead.
 */

const names = [
  'union',
  'intersection',
  'difference',
  'symmetricDifference',
  'isSubsetOf',
  'isSupersetOf',
  'isDisjointFrom',
] as const;

/** Gives the prototype of such a set the methods that combine sets. */
export function delegateSetAlgebra(prototype: Set<unknown>): void {
  for (const name of names) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: Set<unknown>, other: ReadonlySetLike<unknown>): unknown {
        return new Set(this)[name](other);
      },
    });
  }
}
