/** Short texts of values for messages: bounded, on one line, never throwing. */

const textLengthMax = 60;
const itemsMax = 4;
const depthMax = 2;

/** A short text of any value, for people: at most 60 characters, on one line. */
export function previewOf(value: unknown): string {
  let text: string;
  try {
    text = textOfValue(value, 0);
  } catch {
    // A foreign proxy or a getter may throw; a message about a value must not.
    text = `an unreadable ${typeof value}`;
  }
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax - 1)}…`;
}

function textOfValue(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, textLengthMax));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  return textOfObject(value, depth);
}

function textOfObject(value: object, depth: number): string {
  if (value instanceof Date) return textOfDate(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return listed('[', value, value.length, depth);
  if (value instanceof Map) return `Map ${listed('{', value.keys(), value.size, depth)}`;
  if (value instanceof Set) return `Set ${listed('{', value, value.size, depth)}`;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    return `an instance of ${prototype.constructor?.name || 'a class'}`;
  }
  return textOfRecord(value as Record<string, unknown>, depth);
}

function textOfDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an invalid date' : date.toISOString();
}

function textOfRecord(value: Record<string, unknown>, depth: number): string {
  const keys = Object.keys(value);
  if (keys.length === 0) return '{}';
  if (depth >= depthMax) return '{…}';
  const parts = keys.slice(0, itemsMax).map(key => `${key}: ${textOfValue(value[key], depth + 1)}`);
  if (keys.length > itemsMax) parts.push('…');
  return `{ ${parts.join(', ')} }`;
}

function listed(open: '[' | '{', items: Iterable<unknown>, count: number, depth: number): string {
  const close = open === '[' ? ']' : '}';
  if (count === 0) return `${open}${close}`;
  if (depth >= depthMax) return `${open}…${close}`;
  const parts: string[] = [];
  for (const item of items) {
    if (parts.length === itemsMax) break;
    parts.push(textOfValue(item, depth + 1));
  }
  if (count > itemsMax) parts.push('…');
  return `${open}${parts.join(', ')}${close}`;
}
