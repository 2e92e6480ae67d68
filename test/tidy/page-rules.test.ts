/** The rules about pages and the lock file complain about fixtures that break them. */
import { describe, expect, it } from 'vitest';
import { errorsOnPage, errorsProvokedExcept, folderSentences, publicLock } from './page-rules.ts';
import { type Rule, treeOf } from './tree.ts';

type Texts = Record<string, string>;

const complaintsOf = (rule: Rule, texts: Texts) => rule.check(treeOf(texts));

describe('pages', () => {
  const codes =
    "export const errorCodes = {\n  ONE: {\n    outcome: 'unknown',\n  },\n  TWO_WORDS: {\n  },\n  THREE: {\n  },\n};";

  it('name the error codes that there are', () => {
    const texts = {
      'src/core/error-codes.ts': codes,
      'docs/reference/errors.md': '| `ONE` | a |\n| `FOUR` | b |\n| `THREE` | c |',
    };
    expect(complaintsOf(errorsOnPage, texts)).toEqual([
      expect.stringContaining('lacks TWO_WORDS'),
      expect.stringContaining('has FOUR'),
    ]);
  });

  it('tests provoke the error codes that are raised', () => {
    const texts: Record<string, string> = {
      'src/core/error-codes.ts': codes,
      'src/agent/a.ts': "new TroupeError('ONE', {}); new TroupeError('TWO_WORDS', {});",
      'src/delivery/a.ts': "const passing = ['THREE'];",
      'src/testing/log-laws.ts': "expectCode('ONE');",
      'src/testing/sim-agent.ts': "new TroupeError('THREE', {});",
      'test/a.test.ts': '// TWO_WORDS in a comment proves nothing',
      'test/tidy/a.ts': "'THREE' 'TWO_WORDS'",
    };
    expect(complaintsOf(errorsProvokedExcept([]), texts)).toEqual([
      'TWO_WORDS is provoked nowhere in test',
      'THREE is provoked nowhere in test',
    ]);
    expect(complaintsOf(errorsProvokedExcept(['ONE', 'THREE']), texts)).toEqual([
      'ONE is raised: take it off the list of those that are not',
      'TWO_WORDS is provoked nowhere in test',
    ]);
    delete texts['src/delivery/a.ts'];
    delete texts['src/testing/sim-agent.ts'];
    expect(complaintsOf(errorsProvokedExcept([]), texts)).toContain(
      'THREE is raised nowhere in src',
    );
  });

  it('have a sentence for each folder', () => {
    const texts = {
      'src/agent/a.ts': '',
      'src/engines/memory/log.ts': '',
      'src/state/a.ts': '',
      'docs/contributing.md':
        '| `src/agent/` | Who handles it. |\n| `src/state/` | state |\n| `src/gone/` | Was here. |',
    };
    expect(complaintsOf(folderSentences, texts)).toEqual([
      expect.stringContaining('no sentence for src/engines/memory/'),
      expect.stringContaining('no sentence for src/state/'),
      expect.stringContaining('src/gone/, which is not there'),
    ]);
  });

  it('the lock file is for everybody', () => {
    const packages = {
      '': {},
      'node_modules/a': { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', integrity: 'x' },
      'node_modules/b': { integrity: 'x' },
      'node_modules/c': { resolved: 'https://npm.example.com/c.tgz', integrity: 'x' },
      'node_modules/d': {},
      'node_modules/e': { integrity: 'x', optionalDependencies: { a: '1', 'e-linux': '1' } },
      'node_modules/b/node_modules/f': { integrity: 'x', optionalDependencies: { g: '1' } },
      'node_modules/b/node_modules/g': { integrity: 'x' },
    };
    expect(complaintsOf(publicLock, { 'package-lock.json': JSON.stringify({ packages }) })).toEqual(
      [
        'node_modules/c comes from https://npm.example.com/c.tgz',
        'node_modules/d has no hash',
        'node_modules/e may need e-linux, which is not in the lock file',
      ],
    );
  });
});
