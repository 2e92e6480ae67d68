/**
 * What plain data may be beyond its types: limits, forbidden names, and the drafts and views that
 * stand for it. Copying and explaining a refusal both go by these.
 */

/** How deeply values may be nested. */
export const valueDepthMax = 64;

/** How many properties, elements, entries and members a value may hold, all levels together. */
export const valueItemsMax = 100_000;

/** The property by which a draft or a view answers with its {@link StandIn}. */
export const standInKey: unique symbol = Symbol('troupe.stand-in');

/** What stands behind a draft or a view. */
export interface StandIn {
  /** The data it stands for now. It may hold further stand-ins. */
  current(): object;
  /** Whether the data never changes again, so that it may be shared. */
  readonly isImmutable: boolean;
}

/** Whether a key could reach a prototype when it is assigned somewhere. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/** What stands behind a draft or a view; `undefined` for anything else. */
export function standInOf(value: object): StandIn | undefined {
  // The key is private to this package, so that only drafts and views answer to it.
  return (value as { readonly [standInKey]?: StandIn })[standInKey];
}
