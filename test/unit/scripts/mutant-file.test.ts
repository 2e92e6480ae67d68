/** Mutants on disk: how they are read, where they fit, and that those of this tree do. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyHunk, type Mutant, readMutant } from '../../../scripts/mutant-file.ts';

const text = `promise: 2. No acknowledged write is lost.
bug: It adds what it should take.
smoke: yes
check: vitest test/one.test.ts -t "takes what it should"
check: sim --hours 4

in src/one.ts
 const before = 1;
-const sum = one - other;
+const sum = one + other;

in src/other.ts
-gone();
`;

/** A mutant that must be readable. */
function mutantOf(name: string, given: string): Mutant {
  const mutant = readMutant(name, given);
  if (typeof mutant === 'string') throw new Error(mutant);
  return mutant;
}

describe('a mutant', () => {
  it('has a promise, a bug, checks and hunks', () => {
    const mutant = mutantOf('adds', text);
    expect(mutant).toMatchObject({
      name: 'adds',
      isSmoke: true,
      bug: expect.stringMatching(/^It/),
    });
    expect(mutant.checks.map(({ tool, words }) => [tool, ...words])).toEqual([
      ['vitest', 'test/one.test.ts', '-t', 'takes what it should'],
      ['sim', '--hours', '4'],
    ]);
    expect(mutant.hunks.map(({ path }) => path)).toEqual(['src/one.ts', 'src/other.ts']);
  });

  it('is refused with a reason when something is missing or unknown', () => {
    expect(readMutant('m', text.replace('bug: ', 'bugs: '))).toContain('neither a field');
    expect(readMutant('m', text.replace(/^promise.*\n/, ''))).toContain('needs the fields');
    expect(readMutant('m', text.replace('check: sim', 'check: rm'))).toContain('begins with none');
    expect(readMutant('m', text.slice(0, text.indexOf('in src')))).toContain('no hunk');
  });
});

describe('a hunk', () => {
  const hunk = mutantOf('adds', text).hunks[0] ?? { path: '', before: '', after: '' };

  it('is found by its text, however that is wrapped', () => {
    const source = 'start();\n  const before = 1; const sum =\n    one - other;\nend();\n';
    const applied = applyHunk(source, hunk);
    expect(applied).toEqual({
      text: 'start();\n  const before = 1;\nconst sum = one + other;\nend();\n',
    });
  });

  it('does not fit where its text is missing, or stands twice', () => {
    expect(applyHunk('const before = 1;', hunk)).toContain('does not hold');
    const once = 'const before = 1;\nconst sum = one - other;\n';
    expect(applyHunk(once + once, hunk)).toContain('more than once');
  });
});

describe('the mutants of this tree', () => {
  const folder = new URL('../../mutants/', import.meta.url);
  const root = new URL('../../../', import.meta.url);
  const files = readdirSync(folder);

  it('are enough', () => {
    expect(files.length).toBeGreaterThanOrEqual(22);
  });

  it.each(files)('%s fits', file => {
    const { hunks } = mutantOf(file, readFileSync(new URL(file, folder), 'utf8'));
    const texts = new Map<string, string>();
    for (const hunk of hunks) {
      const source = texts.get(hunk.path) ?? readFileSync(new URL(hunk.path, root), 'utf8');
      const applied = applyHunk(source, hunk);
      if (typeof applied === 'string') throw new Error(applied);
      expect(applied.text).not.toBe(source);
      texts.set(hunk.path, applied.text);
    }
  });
});
