/**
 * What users say about limits, turned into plain numbers with every field present: the code that
 * keeps a limit never looks at defaults, units or what was left out.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { type LimitText, nodeLimits, typeLimits } from './limits.ts';
import { suggestionFor } from './suggest.ts';

type Texts = Readonly<Record<string, Omit<LimitText, 'scope'>>>;

type Options<T extends Texts> = {
  readonly [K in keyof T]?: (T[K]['unit'] extends 'span' ? Duration : number) | undefined;
};

type Resolved<T extends Texts> = {
  readonly [K in keyof T & string as T[K]['unit'] extends 'span' ? `${K}Ms` : K]: number;
};

/** What a contract may say under `limits`. Spans are durations: `{ idle: '1h' }`. */
export type TypeLimitOptions = Options<typeof typeLimits>;

/** The limits of a type, all of them, as numbers; spans in milliseconds end in `Ms`. */
export interface TypeLimits extends Resolved<typeof typeLimits> {
  /** When a `none` agent leaves memory although it has changed: never, unless `idle` is set. */
  readonly discardMs: number;
}

/** What `createTroupe` may say under `limits`. */
export type NodeLimitOptions = Options<typeof nodeLimits>;

/** The limits of a node, all of them, as numbers; spans in milliseconds end in `Ms`. */
export type NodeLimits = Resolved<typeof nodeLimits>;

/**
 * The limits of a type.
 *
 * @throws `CONFIG_INVALID` when a limit is unknown or has an unacceptable value.
 */
export function resolveTypeLimits(options: TypeLimitOptions, place: string): TypeLimits {
  const resolved = resolve(typeLimits, options, place) as Resolved<typeof typeLimits>;
  const discardMs = options.idle === undefined ? Number.POSITIVE_INFINITY : resolved.idleMs;
  return Object.freeze({ ...resolved, discardMs });
}

/**
 * The limits of a node.
 *
 * @throws `CONFIG_INVALID` when a limit is unknown or has an unacceptable value.
 */
export function resolveNodeLimits(options: NodeLimitOptions, place: string): NodeLimits {
  return Object.freeze(resolve(nodeLimits, options, place)) as NodeLimits;
}

function resolve(texts: Texts, options: object, place: string): Record<string, number> {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(texts, name)) continue;
    const hint = suggestionFor(name, Object.keys(texts));
    throw refusal(`${place}: there is no limit "${name}"${hint}`);
  }
  const given = options as Readonly<Record<string, unknown>>;
  const entries = Object.entries(texts).map(([name, text]) => [
    text.unit === 'span' ? `${name}Ms` : name,
    limitOf(text, given[name], `${place}.${name}`),
  ]);
  return Object.fromEntries(entries);
}

function limitOf(text: Omit<LimitText, 'scope'>, given: unknown, place: string): number {
  if (given === undefined) return text.default;
  // durationMs refuses whatever is not a duration.
  const value = text.unit === 'span' ? durationMs(given as Duration, place) : given;
  const isFit = typeof value === 'number' && value >= text.min;
  if (isFit && (text.unit === 'span' || Number.isSafeInteger(value))) return value;
  const what = text.unit === 'span' ? 'at least' : 'a whole number of at least';
  throw refusal(
    `${place} is ${previewOf(given)}; it must be ${what} ${text.min}${text.unit === 'span' ? ' ms' : ''}`,
  );
}

function refusal(detail: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', { detail });
}
