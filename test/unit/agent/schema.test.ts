/** Values against schemas: what is accepted, and what the errors say. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  isAsynchronousFor,
  isSchema,
  issuesMax,
  jsonSchemaOf,
  parseWith,
  type Schema,
  type SchemaErrorCode,
} from '../../../src/agent/schema.ts';
import { TroupeError } from '../../../src/core/errors.ts';

const movement = z.object({ amount: z.number().int() });

/** A schema of no library, whose `validate` does as it is told. */
function schemaThat(validate: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate } } as Schema;
}

function refusalOf(
  schema: Schema | undefined,
  value: unknown,
  code: SchemaErrorCode = 'INVALID_INPUT',
): TroupeError {
  try {
    parseWith(schema, value, 'account.move', code);
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error('the value was accepted');
}

describe('parseWith', () => {
  it('returns what the schema makes of the value', () => {
    const schema = z.object({ amount: z.number().default(1), name: z.string().trim() });
    expect(parseWith(schema, { name: ' a ' }, 'x', 'INVALID_INPUT')).toEqual({
      amount: 1,
      name: 'a',
    });
  });

  it('takes undefined from a schema that makes it', () => {
    expect(parseWith(z.undefined(), undefined, 'x', 'INVALID_INPUT')).toBeUndefined();
    expect(parseWith(z.void(), undefined, 'x', 'OUTPUT_INVALID')).toBeUndefined();
  });

  it.each(['INVALID_INPUT', 'OUTPUT_INVALID', 'STATE_MISMATCH'] as const)(
    'says %s with place, path, what was expected, and the value',
    code => {
      const error = refusalOf(movement, { amount: '10' }, code);
      expect(error.code).toBe(code);
      expect(error.detail).toBe('account.move: amount: expected number, received string ("10")');
      expect(error.data).toEqual({
        issues: [{ path: 'amount', message: 'expected number, received string ("10")' }],
      });
    },
  );

  it('says what is missing, without a value', () => {
    expect(refusalOf(movement, {}).detail).toBe(
      'account.move: amount: expected number, received undefined',
    );
  });

  it('speaks of the value itself where there is no path', () => {
    expect(refusalOf(movement, 'ten').detail).toBe(
      'account.move: expected object, received string ("ten")',
    );
    expect(refusalOf(movement, undefined).detail).toBe(
      'account.move: expected object, received undefined',
    );
    expect(refusalOf(movement, null).detail).toBe('account.move: expected object, received null');
  });

  it('writes paths as they are written in code', () => {
    const schema = z.object({ items: z.array(z.object({ 'unit price': z.number() })) });
    expect(refusalOf(schema, { items: [{ 'unit price': true }] }).detail).toBe(
      'account.move: items[0]["unit price"]: expected number, received boolean (true)',
    );
  });

  it('shows values inside maps, and no objects', () => {
    const schema = z.object({ prices: z.map(z.string(), z.number()) });
    expect(refusalOf(schema, { prices: new Map([['a', 'x']]) }).detail).toBe(
      'account.move: prices.a: expected number, received string ("x")',
    );
    expect(refusalOf(movement, { amount: { secret: 1 } }).detail).not.toContain('secret');
  });

  it('lists a few issues and counts the rest', () => {
    const schema = z.array(z.number());
    const error = refusalOf(schema, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(error.detail).toBe(
      'account.move: [0]: expected number, received string ("a"); [1]: expected number, received string ("b"); [2]: expected number, received string ("c"); [3]: expected number, received string ("d"); [4]: expected number, received string ("e"); and 2 more',
    );
    expect(error.data).toHaveProperty('issues.length', issuesMax);
  });

  it('cuts long values', () => {
    const error = refusalOf(movement, { amount: 'x'.repeat(10_000) });
    expect(error.detail.length).toBeLessThan(150);
  });

  it('takes no value without a schema', () => {
    expect(parseWith(undefined, undefined, 'x', 'INVALID_INPUT')).toBeUndefined();
    const input = refusalOf(undefined, { amount: 1 });
    expect(input.code).toBe('INVALID_INPUT');
    expect(input.detail).toBe('account.move: takes no input, received object');
    expect(refusalOf(undefined, null).detail).toBe('account.move: takes no input, received null');
    const output = refusalOf(undefined, 5, 'OUTPUT_INVALID');
    expect(output.detail).toBe('account.move: declares no output, received number (5)');
    expect(output.code).toBe('OUTPUT_INVALID');
  });

  it('refuses a schema that answers with a promise, and leaves no rejection behind', async () => {
    const late = schemaThat(() => Promise.reject(new Error('late')));
    const error = refusalOf(late, 1);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.detail).toBe(
      'account.move: its schema answers with a promise (it is asynchronous, or its own code throws); use one that answers at once',
    );
    expect(
      refusalOf(
        z.number().refine(async () => true),
        1,
      ).code,
    ).toBe('CONFIG_INVALID');
    await new Promise(resolve => setImmediate(resolve));
  });

  it('wraps what a schema throws', () => {
    const error = refusalOf(
      schemaThat(() => {
        throw new RangeError('too deep');
      }),
      1,
    );
    expect(error.code).toBe('INVALID_INPUT');
    expect(error.detail).toBe('account.move: its schema threw: too deep');
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  it('reads paths of segment objects and survives getters that throw', () => {
    const issue = { message: 'is wrong', path: [{ key: 'a' }, { key: 0 }, 'b'] };
    const schema = schemaThat(() => ({ issues: [issue] }));
    const trap = {
      get a(): never {
        throw new Error('trap');
      },
    };
    expect(refusalOf(schema, trap).detail).toBe('account.move: a[0].b: is wrong');
    expect(refusalOf(schema, { a: [{ b: 7 }] }).detail).toBe('account.move: a[0].b: is wrong (7)');
    expect(refusalOf(schema, { a: null }).detail).toBe('account.move: a[0].b: is wrong');
  });
});

describe('isSchema', () => {
  it('knows schemas of any library, also callable ones', () => {
    expect(isSchema(movement)).toBe(true);
    expect(isSchema(schemaThat(value => ({ value })))).toBe(true);
    expect(
      isSchema(
        Object.assign(
          () => {},
          schemaThat(value => ({ value })),
        ),
      ),
    ).toBe(true);
  });

  it.each([undefined, null, 1, 'number', {}, { '~standard': null }, { '~standard': {} }, Number])(
    'refuses %s',
    value => {
      expect(isSchema(value)).toBe(false);
    },
  );
});

describe('isAsynchronousFor', () => {
  it('tells promises from answers and from throws', () => {
    const throwing = schemaThat(() => {
      throw new Error('no');
    });
    expect(isAsynchronousFor(movement, {})).toBe(false);
    expect(isAsynchronousFor(throwing, {})).toBe(false);
    expect(
      isAsynchronousFor(
        schemaThat(async value => ({ value })),
        {},
      ),
    ).toBe(true);
  });
});

describe('jsonSchemaOf', () => {
  it('gives the schema of either side', () => {
    const schema = z.object({ amount: z.number().default(1) });
    expect(jsonSchemaOf(schema, 'input')).not.toHaveProperty('required');
    expect(jsonSchemaOf(schema, 'output')).toMatchObject({
      type: 'object',
      properties: { amount: { type: 'number', default: 1 } },
      required: ['amount'],
    });
  });

  it('gives nothing where the library or JSON Schema has none', () => {
    expect(
      jsonSchemaOf(
        schemaThat(value => ({ value })),
        'input',
      ),
    ).toBeUndefined();
    expect(jsonSchemaOf(z.object({ at: z.date() }), 'input')).toBeUndefined();
  });
});
