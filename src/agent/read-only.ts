/** Values that may be looked at and not changed, as types: all the way down, with collections. */

/** A date without what sets it. */
export type ReadonlyDate = {
  readonly [K in keyof Date as K extends `set${string}` ? never : K]: Date[K];
};

/**
 * A value of which no part can be changed. Arrays, `Map`, `Set` and `Date` lose what changes them;
 * bytes and functions stay as they are.
 */
export type DeepReadonly<T> = unknown extends T
  ? T
  : T extends Unchangeable
    ? T
    : T extends Date
      ? ReadonlyDate
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
        : T extends ReadonlySet<infer V>
          ? ReadonlySet<DeepReadonly<V>>
          : { readonly [K in keyof T]: DeepReadonly<T[K]> };

type Unchangeable =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Uint8Array
  | ((...parameters: never[]) => unknown);
