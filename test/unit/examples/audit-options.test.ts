/** The command line of the audit, and the keys that its agents go by. */
import { describe, expect, it } from 'vitest';
import { auditorKey, crewKey } from '../../../examples/audit/crew.ts';
import { eachOf } from '../../../examples/audit/each-of.ts';
import { licenceKey } from '../../../examples/audit/licence.ts';
import { installedPackages, readOptions } from '../../../examples/audit/options.ts';
import { addressOf } from '../../../src/core/address.ts';

describe('readOptions', () => {
  it('has a default for everything', () => {
    expect(readOptions([])).toEqual({
      folder: installedPackages,
      report: undefined,
      data: expect.stringMatching(/data\/audit$/),
      cluster: undefined,
      isJson: false,
    });
  });

  it('reads what is given', () => {
    const given = ['--report', 'r.json', '--data', 'd', '--cluster', 'nats://s:4222', '--json'];
    expect(readOptions(['dir', ...given])).toEqual({
      folder: 'dir',
      report: 'r.json',
      data: 'd',
      cluster: 'nats://s:4222',
      isJson: true,
    });
  });

  it.each([['a', 'b'], ['--reprot', 'x'], ['--report'], ['--json=yes']])(
    'refuses %s %s',
    (...parameters) => {
      expect(readOptions(parameters.filter(Boolean))).toBeUndefined();
    },
  );
});

describe('the keys', () => {
  it('are acceptable for whatever path and licence there is', () => {
    const crew = crewKey(`/${'long/'.repeat(500)}`);
    const paths = ['node_modules/@a/b', 'x'.repeat(5_000), 'ü'.repeat(300)];
    for (const path of paths)
      expect(() => addressOf('auditor', auditorKey(crew, path))).not.toThrow();
    for (const declared of [null, '', 'MIT', 'a\nb', 'x'.repeat(5_000)]) {
      expect(() => addressOf('licence', licenceKey(crew, declared))).not.toThrow();
    }
  });

  it('differ where packages, licences or folders do', () => {
    expect(crewKey('/a')).not.toBe(crewKey('/b'));
    expect(auditorKey('c', `${'x'.repeat(500)}1`)).not.toBe(auditorKey('c', `${'x'.repeat(500)}2`));
    expect(licenceKey('c', null)).not.toBe(licenceKey('c', 'undeclared'));
    expect(licenceKey('c', 'MIT')).not.toBe(licenceKey('c', 'ISC'));
  });
});

describe('eachOf', () => {
  it('does all, no more than so many at once', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async item => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('begins nothing more after a failure, and throws it', async () => {
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 2) throw new Error('two');
    };
    await expect(eachOf([1, 2, 3, 4, 5, 6], 2, work)).rejects.toThrow('two');
    expect(begun.length).toBeLessThan(5);
  });
});
