/**
 * The bytes of values, format 1: MessagePack, with extension types for what MessagePack lacks. A
 * published code never changes its meaning; writer and reader stand beside this file.
 *
 * | value | bytes |
 * |---|---|
 * | null, booleans, whole numbers of 32 bits, strings | MessagePack's own |
 * | `Uint8Array`, arrays, objects | MessagePack's own |
 * | other numbers, `-0` too | float 64 |
 * | undefined | fixext 1 of type 0 |
 * | Date | fixext 8 of type 1: milliseconds as float 64, `NaN` when invalid |
 * | bigint | ext of type 2: two's complement, highest byte first |
 * | string with half a surrogate pair | ext of type 3: UTF-16, lowest byte first |
 * | Map, Set | fixext 1 of type 4 or 5, then an array: key, value, key, value …; or the members |
 */

/** The extension types of format 1. */
export const extension = {
  undefined: 0,
  date: 1,
  bigint: 2,
  illFormedString: 3,
  map: 4,
  set: 5,
} as const;

/**
 * How deeply encoded values may be nested: room for a value of the greatest depth allowed, or a
 * patch of it (two levels for one), within a record. Writer and reader keep to the same limit, so
 * that nothing is written that cannot be read.
 */
export const encodedDepthMax = 256;
