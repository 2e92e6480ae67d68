/**
 * Log lines as JSON, one a line. Whatever agents and callers put in stays on its line, is cut to a
 * bounded length, and cannot throw: a log line must never be the reason that a turn fails.
 */
import { TroupeError, textOf } from '../core/errors.ts';

/** Where messages for people who run the node go. */
export interface Logger {
  debug(message: string, data?: object): void;
  info(message: string, data?: object): void;
  warn(message: string, data?: object): void;
  error(message: string, data?: object): void;
}

/** How important a line is. */
export type LogLevel = keyof Logger;

/** How {@link createJsonLogger} works. */
export interface JsonLoggerOptions {
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** Lines below this level are left out (default `info`). */
  readonly level?: LogLevel | undefined;
  /** No line is longer, in characters (default 8,192; at least 512). */
  readonly lineLengthMax?: number | undefined;
}

/** What {@link createJsonLogger} uses where an option is left out. */
export const loggerDefaults = { level: 'info', lineLengthMax: 8_192 } as const;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What bounds a value before it becomes text. */
const depthMax = 6;
const entriesMax = 50;
/** The place that quotes and a comma take, or a short number. */
const entryCost = 4;

/** A logger that writes `{ time, level, message, data }` as JSON lines. */
export function createJsonLogger(options: JsonLoggerOptions): Logger {
  const least = levels.indexOf(options.level ?? loggerDefaults.level);
  const lineLengthMax = Math.max(512, options.lineLengthMax ?? loggerDefaults.lineLengthMax);
  const log =
    (level: LogLevel) =>
    (message: string, data?: object): void => {
      if (levels.indexOf(level) < least) return;
      options.write(lineOf({ time: timeText(options.now()), level }, message, data, lineLengthMax));
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/**
 * A logger that adds `fields` to the data of every line; where both name a field, the line wins.
 */
export function withFields(logger: Logger, fields: Readonly<Record<string, unknown>>): Logger {
  const log =
    (level: LogLevel) =>
    (message: string, data?: object): void =>
      logger[level](message, merged(fields, data));
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

function merged(fields: object, data: object | undefined): object {
  if (data === undefined) return fields;
  try {
    // An error has no fields of its own to spread.
    return data instanceof Error ? { ...fields, error: data } : { ...fields, ...data };
  } catch (error) {
    return { ...fields, unreadable: textOf(error) };
  }
}

function lineOf(
  head: { readonly time: string; readonly level: LogLevel },
  message: string,
  data: object | undefined,
  lineLengthMax: number,
): string {
  const budget = { left: lineLengthMax * 0.6 };
  const told = data === undefined ? {} : { data: plain(data, 0, budget) };
  const short = cut(message, lineLengthMax * 0.25);
  const line = escaped(JSON.stringify({ ...head, message: short, ...told }));
  if (line.length <= lineLengthMax) return line;
  // One character takes up to six places when escaped: these parts fit, whatever they hold.
  const part = (lineLengthMax - 256) / 12;
  const start = cut(JSON.stringify(told.data ?? null), part);
  return escaped(
    JSON.stringify({ ...head, message: cut(message, part), data: start, isCut: true }),
  );
}

/** JSON escapes what lies below a space; terminals and log readers also act on these. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What a line may still take up; shared by all parts of its data, so that cycles end too. */
interface Budget {
  left: number;
}

/** Anything, as plain bounded data. */
function plain(value: unknown, depth: number, budget: Budget): unknown {
  if (budget.left <= 0 || depth > depthMax) return '…';
  budget.left -= entryCost;
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : plainOrReason(value, depth, budget);
    case 'function':
      return '[function]';
    default:
      return plainText(String(value), budget);
  }
}

function plainOrReason(value: object, depth: number, budget: Budget): unknown {
  try {
    return plainObject(value, depth + 1, budget);
  } catch (error) {
    return plainText(`unreadable: ${textOf(error)}`, budget);
  }
}

function plainObject(value: object, depth: number, budget: Budget): unknown {
  if (value instanceof Date) return timeText(value.getTime());
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Set) {
    return plainItems([...value.values().take(entriesMax)], value.size, [depth, budget]);
  }
  if (Array.isArray(value)) {
    return plainItems(value.slice(0, entriesMax), value.length, [depth, budget]);
  }
  if (value instanceof Map) {
    const entries = [...value.entries().take(entriesMax)].map(([key, of]) => [String(key), of]);
    return plainEntries(Object.fromEntries(entries), depth, budget);
  }
  if (TroupeError.is(value)) return plainEntries(value.toValue(), depth, budget);
  if (value instanceof Error) {
    const { name, message, stack } = value;
    return plainEntries({ ...value, name, message, stack }, depth, budget);
  }
  return plainEntries(value, depth, budget);
}

function plainItems(
  items: readonly unknown[],
  count: number,
  [depth, budget]: readonly [number, Budget],
): unknown[] {
  const shown = items.map(item => plain(item, depth, budget));
  return count > items.length ? [...shown, `… ${count - items.length} more`] : shown;
}

function plainEntries(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const keys = Object.keys(value);
  const shown: [string, unknown][] = [];
  for (const key of keys.slice(0, entriesMax)) {
    shown.push([plainText(cut(key, 128), budget), plain(Reflect.get(value, key), depth, budget)]);
  }
  if (keys.length > entriesMax) shown.push(['…', `${keys.length - entriesMax} more`]);
  return Object.fromEntries(shown);
}

function plainText(text: string, budget: Budget): string {
  const shown = cut(text, Math.max(0, budget.left));
  budget.left -= shown.length;
  return shown;
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax)}… ${text.length - Math.floor(lengthMax)} more`;
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
