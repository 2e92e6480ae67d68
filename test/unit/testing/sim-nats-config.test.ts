/** Versions of modelled servers, and what each makes of the configuration of a stream. */
import { describe, expect, it } from 'vitest';
import { completeConfig, isSameConfig } from '../../../src/testing/sim-nats-config.ts';
import { isAtLeast, versionOf } from '../../../src/testing/sim-nats-version.ts';

const newest = versionOf('2.15.1');
const oldest = versionOf('2.9.10');

describe('a version', () => {
  it('is compared by its numbers, not by its letters', () => {
    expect(isAtLeast(versionOf('2.10.23'), '2.9.18')).toBe(true);
    expect(isAtLeast(versionOf('2.9.10'), '2.9.18')).toBe(false);
    expect(isAtLeast(versionOf('2.10.23'), '2.10.23')).toBe(true);
    expect(isAtLeast(versionOf('3.0.0'), '2.15.1')).toBe(true);
    expect(isAtLeast(versionOf('2.12.0-beta'), '2.12.0')).toBe(true);
  });
});

describe('the configuration of a stream', () => {
  it('is completed with what servers take where nothing is said', () => {
    expect(completeConfig({ name: 'S' }, oldest)).toEqual({
      name: 'S',
      subjects: ['S'],
      retention: 'limits',
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
      max_msgs_per_subject: -1,
      max_msg_size: -1,
      discard: 'old',
      storage: 'file',
      num_replicas: 1,
      duplicate_window: 120_000_000_000,
      allow_direct: false,
      mirror_direct: false,
      sealed: false,
      deny_delete: false,
      deny_purge: false,
      allow_rollup_hdrs: false,
    });
  });

  it('takes 0 for no limit', () => {
    const config = completeConfig({ name: 'S', max_msgs: 0, max_bytes: 0 }, newest);
    expect(config).toMatchObject({ max_msgs: -1, max_bytes: -1 });
  });

  it('loses what an old server does not know, and a new one refuses what nobody knows', () => {
    const asked = { name: 'S', compression: 's2', metadata: { a: 'b' }, no_such_thing: 1 };
    const old = completeConfig(asked, oldest);
    expect(old).not.toHaveProperty('compression');
    expect(old).not.toHaveProperty('metadata');
    expect(old).not.toHaveProperty('no_such_thing');
    expect(completeConfig(asked, newest)).toMatchObject({ err_code: 10025 });
    const { no_such_thing: _, ...known } = asked;
    expect(completeConfig(known, newest)).toMatchObject({
      compression: 's2',
      metadata: { a: 'b', '_nats.ver': '2.15.1' },
    });
  });

  it.each([
    [{ name: 'a.b' }],
    [{ name: 'S', subjects: ['a..b'] }],
    [{ name: 'S', subjects: 'a' }],
    [{ name: 'S', max_age: 1_000 }],
    [{ name: 'S', duplicate_window: -1 }],
  ])('is refused as %j', asked => {
    expect(completeConfig(asked, newest)).toMatchObject({ err_code: 10052 });
  });

  it('is the same or not', () => {
    const config = (asked: object) => {
      const made = completeConfig({ name: 'S', ...asked }, newest);
      if ('err_code' in made) throw new Error(made.description);
      return made;
    };
    expect(isSameConfig(config({}), config({ max_msgs: -1 }))).toBe(true);
    expect(isSameConfig(config({}), config({ max_msgs: 1 }))).toBe(false);
  });
});
