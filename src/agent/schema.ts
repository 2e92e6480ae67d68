/**
 * Values against schemas, at every boundary of an agent. Any library of the Standard Schema kind
 * will do, as long as it answers at once: a turn is not interrupted by its own checks.
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { TroupeError, textOf } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';

/** A schema of any Standard Schema library. */
export type Schema = StandardSchemaV1;

/** What a schema accepts; without a schema, nothing. */
export type In<S> = S extends Schema ? StandardSchemaV1.InferInput<S> : undefined;

/** What a schema makes of what it accepts; without a schema, nothing. */
export type Out<S> = S extends Schema ? StandardSchemaV1.InferOutput<S> : undefined;

/** The codes of values that do not fit. */
export type SchemaErrorCode = 'INVALID_INPUT' | 'OUTPUT_INVALID' | 'STATE_MISMATCH';

/** One thing that is wrong with a value, as found in the `data.issues` of the error. */
export interface SchemaIssue {
  /** Where it is, as in `items[2].amount`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** How many issues an error lists. */
export const issuesMax = 5;

/**
 * What the schema makes of a value. No schema means that there must be no value.
 *
 * @remarks Allocates nothing beyond what the schema itself does, unless the value does not fit.
 * @param place - What the value belongs to, for the message: `account.move`.
 * @throws `code` with up to {@link issuesMax} issues in its detail; `CONFIG_INVALID` when the
 * schema answers with a promise.
 */
export function parseWith<S extends Schema | undefined>(
  schema: S,
  value: unknown,
  place: string,
  code: SchemaErrorCode,
): Out<S>;
export function parseWith(
  schema: Schema | undefined,
  value: unknown,
  place: string,
  code: SchemaErrorCode,
): unknown {
  if (schema === undefined) {
    if (value === undefined) return undefined;
    throw unwanted(value, place, code);
  }
  const result = validated(schema, value, place, code);
  if (result.issues !== undefined) throw mismatch(result.issues, value, place, code);
  const parsed = result.value;
  if (parsed === undefined && isThenable(result)) throw asynchronous(result, place);
  return parsed;
}

/** Whether a value is a schema that this code can use. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as { readonly '~standard'?: unknown })['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    typeof (standard as { readonly validate?: unknown }).validate === 'function'
  );
}

/** Whether a schema answers `value` with a promise, as far as one value can tell. */
export function isAsynchronousFor(schema: Schema, value: unknown): boolean {
  try {
    const result = schema['~standard'].validate(value);
    if (!isThenable(result)) return false;
    result.then(ignore, ignore);
    return true;
  } catch {
    // What it throws about this value says nothing about promises.
    return false;
  }
}

/**
 * The JSON Schema (draft 2020-12) of a schema, for forms, tools and documents; `undefined` when its
 * library offers none or cannot express it.
 */
export function jsonSchemaOf(
  schema: Schema,
  direction: 'input' | 'output',
): Record<string, unknown> | undefined {
  const standard: Partial<StandardJSONSchemaV1.Props> = schema['~standard'];
  if (typeof standard.jsonSchema?.[direction] !== 'function') return undefined;
  try {
    return standard.jsonSchema[direction]({ target: 'draft-2020-12' });
  } catch {
    // The specification lets a library throw at what JSON Schema cannot say.
    return undefined;
  }
}

type Validated = StandardSchemaV1.Result<unknown>;

function validated(
  schema: Schema,
  value: unknown,
  place: string,
  code: SchemaErrorCode,
): Validated {
  try {
    // A promise has neither issues nor a value: parseWith looks once it has found neither.
    return schema['~standard'].validate(value) as Validated;
  } catch (thrown) {
    throw new TroupeError(code, {
      detail: `${place}: its schema threw: ${textOf(thrown)}`,
      cause: thrown,
    });
  }
}

function mismatch(
  found: readonly StandardSchemaV1.Issue[],
  value: unknown,
  place: string,
  code: SchemaErrorCode,
): TroupeError {
  const issues = found.slice(0, issuesMax).map(issue => issueOf(issue, value));
  const texts = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const left = found.length - issues.length;
  if (left > 0) texts.push(`and ${left} more`);
  return new TroupeError(code, { detail: `${place}: ${texts.join('; ')}`, data: { issues } });
}

function issueOf(issue: StandardSchemaV1.Issue, value: unknown): SchemaIssue {
  const keys = (issue.path ?? []).map(segment =>
    typeof segment === 'object' ? segment.key : segment,
  );
  const message = issue.message.replace(/^Invalid input: /, '');
  return { path: pathText(keys), message: message + shown(valueAt(value, keys)) };
}

function pathText(keys: readonly PropertyKey[]): string {
  let text = '';
  for (const key of keys) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (typeof key === 'string' && /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) {
      text += text === '' ? key : `.${key}`;
    } else text += `[${previewOf(key)}]`;
  }
  return text;
}

function valueAt(value: unknown, keys: readonly PropertyKey[]): unknown {
  let part = value;
  try {
    for (const key of keys) {
      if (part === null || part === undefined) return undefined;
      part = part instanceof Map ? part.get(key) : Reflect.get(Object(part), key);
    }
  } catch {
    // A getter may throw; a message about a value must not.
    return undefined;
  }
  return part;
}

/** The value itself, where it is short and says more than its type. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object' || typeof value === 'function') return '';
  return ` (${previewOf(value)})`;
}

function unwanted(value: unknown, place: string, code: SchemaErrorCode): TroupeError {
  const what = code === 'INVALID_INPUT' ? 'takes no input' : 'declares no output';
  const message = `${what}, received ${value === null ? 'null' : typeof value}${shown(value)}`;
  return new TroupeError(code, {
    detail: `${place}: ${message}`,
    data: { issues: [{ path: '', message }] satisfies SchemaIssue[] },
  });
}

function asynchronous(result: PromiseLike<unknown>, place: string): TroupeError {
  result.then(ignore, ignore);
  return new TroupeError('CONFIG_INVALID', {
    detail: `${place}: its schema answers with a promise (it is asynchronous, or its own code throws); use one that answers at once`,
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

function ignore(): void {}
