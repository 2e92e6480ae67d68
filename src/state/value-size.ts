/** How many bytes a value takes when it is encoded, roughly, without encoding it. */

/**
 * About the bytes that `encodeValue` makes of a value; text beyond ASCII counts too little.
 *
 * @param enough - The walk stops as soon as it has counted more than this.
 */
export function sizeOf(value: unknown, enough: number = Number.POSITIVE_INFINITY): number {
  switch (typeof value) {
    case 'number':
      return sizeOfNumber(value);
    case 'string':
      return sizeOfString(value);
    case 'object':
      return value === null ? 1 : sizeOfObject(value, enough);
    case 'boolean':
      return 1;
    case 'bigint':
      return 3 + (value.toString(16).length >> 1);
    default:
      return 3;
  }
}

function sizeOfNumber(value: number): number {
  if (value !== (value | 0)) return 9;
  if (value >= -32 && value < 0x80) return 1;
  return value >= 0 && value < 0x10000 ? 3 : 5;
}

function sizeOfString(value: string): number {
  return value.length < 32 ? value.length + 1 : value.length + 3;
}

function sizeOfObject(value: object, enough: number): number {
  if (Array.isArray(value)) return sizeOfItems(value, value.length, enough);
  if (value instanceof Uint8Array) return value.length + 3;
  if (value instanceof Date) return 10;
  if (value instanceof Set) return 3 + sizeOfItems(value, value.size, enough);
  if (value instanceof Map) return 3 + sizeOfMap(value, enough);
  return sizeOfRecord(value as Record<string, unknown>, enough);
}

function headerSize(length: number): number {
  return length < 16 ? 1 : 3;
}

function sizeOfItems(items: Iterable<unknown>, length: number, enough: number): number {
  let size = headerSize(length);
  for (const item of items) {
    size += sizeOf(item, enough - size);
    if (size > enough) break;
  }
  return size;
}

function sizeOfMap(map: ReadonlyMap<unknown, unknown>, enough: number): number {
  let size = headerSize(map.size * 2);
  for (const [key, value] of map) {
    size += sizeOf(key, enough - size) + sizeOf(value, enough - size);
    if (size > enough) break;
  }
  return size;
}

function sizeOfRecord(record: Record<string, unknown>, enough: number): number {
  let size = 1;
  for (const key in record) {
    size += sizeOfString(key) + sizeOf(record[key], enough - size);
    if (size > enough) break;
  }
  return size;
}
