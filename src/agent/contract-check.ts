/**
 * The checks that `defineAgent` and `implement` make once, when a program starts: names, options
 * and schemas. What is wrong is said with its place and what was probably meant.
 */
import { isTypeName } from '../core/address.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { isAsynchronousFor, isSchema, parseWith, type Schema } from './schema.ts';
import { suggestionFor } from './suggest.ts';

/** A `CONFIG_INVALID` error. */
export function refusal(detail: string, cause?: unknown): TroupeError {
  return new TroupeError('CONFIG_INVALID', { detail, cause });
}

/**
 * Options as a record, when all of them are known.
 *
 * @throws `CONFIG_INVALID` when they are no plain object or one is unknown.
 */
export function checkedOptions(
  place: string,
  options: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  const given = checkedRecord(place, options);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw refusal(`${place} has no option "${name}"${suggestionFor(name, known)}`);
  }
  return given;
}

/**
 * A value as a record.
 *
 * @throws `CONFIG_INVALID` when it is none.
 */
export function checkedRecord(place: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw refusal(`${place} must be an object; it is ${previewOf(value)}`);
}

/**
 * The name of a type, action, event or signal.
 *
 * @throws `CONFIG_INVALID` when it is not acceptable.
 */
export function checkedName(what: string, name: unknown): string {
  if (typeof name === 'string' && isTypeName(name)) return name;
  throw refusal(
    `${what} cannot be named ${previewOf(name)}; write a letter, then up to 63 letters, digits, "_" or "-"`,
  );
}

/**
 * A text for people, or nothing.
 *
 * @throws `CONFIG_INVALID` when it is something else.
 */
export function checkedDescription(place: string, text: unknown): string | undefined {
  if (text === undefined || typeof text === 'string') return text;
  throw refusal(`${place}.description is ${previewOf(text)}; it must be a text`);
}

/**
 * A schema that answers at once.
 *
 * @throws `CONFIG_INVALID` when it is none, or answers `undefined` or `{}` with a promise. What a
 * schema does with other values shows when they come.
 */
export function checkedSchema(place: string, schema: unknown): Schema {
  if (!isSchema(schema)) {
    throw refusal(
      `${place} must be a schema (zod, or another Standard Schema library); it is ${previewOf(schema)}`,
    );
  }
  if (isAsynchronousFor(schema, undefined) || isAsynchronousFor(schema, {})) {
    throw refusal(`${place} is an asynchronous schema; use one that answers at once`);
  }
  return schema;
}

/**
 * Schemas by name, frozen and without a prototype.
 *
 * @throws `CONFIG_INVALID` when a name or a schema is not acceptable.
 */
export function checkedSchemas(
  type: string,
  what: 'event' | 'signal',
  schemas: unknown,
): Readonly<Record<string, Schema>> {
  const given = Object.entries(checkedRecord(`${type}.${what}s`, schemas ?? {}));
  return named(
    given.map(([name, schema]) => [
      checkedName(`${what === 'event' ? 'an event' : 'a signal'} of ${type}`, name),
      checkedSchema(`${type} ${what} ${name}`, schema),
    ]),
  );
}

/**
 * Whether an agent can begin: the state schema accepts `{}`, or there is an `initial`, and it
 * accepts what it made itself, since stored states are parsed again when they are loaded.
 *
 * @throws `CONFIG_INVALID` when not.
 */
export function checkBeginning(type: string, state: Schema, initial: unknown): void {
  if (initial !== undefined) {
    if (typeof initial === 'function') return;
    throw refusal(`${type}.initial is ${previewOf(initial)}; it must be a function of the key`);
  }
  const empty = parsedAtStart(
    `${type}: the state schema does not accept {}`,
    'give every field a default, or add initial: key => ({ … })',
    () => parseWith(state, {}, 'state', 'INVALID_INPUT'),
  );
  parsedAtStart(
    `${type}: the state schema does not accept its own output`,
    'stored states are parsed again, so let it accept what it makes',
    () => parseWith(state, empty, 'state', 'INVALID_INPUT'),
  );
}

/** Entries as a frozen object without a prototype. */
export function named<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const record = Object.create(null) as Record<string, T>;
  for (const [name, value] of entries) record[name] = value;
  return Object.freeze(record);
}

function parsedAtStart(complaint: string, remedy: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    const why = TroupeError.is(error) ? error.detail.replace(/^state: /, '') : textOf(error);
    throw refusal(`${complaint}: ${why}; ${remedy}`, error);
  }
}
