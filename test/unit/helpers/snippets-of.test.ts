/** Snippets are found, and what is wrong with them is seen. */
import { describe, expect, it } from 'vitest';
import { openSnippetWorkshop } from '../../helpers/snippet-workshop.ts';
import { snippetsOf } from '../../helpers/snippets-of.ts';

const fence = '```';
const page = (...blocks: string[]) =>
  blocks.map(block => `Words.\n\n${fence}${block}\n${fence}\n`).join('\n');

describe('snippetsOf', () => {
  it('finds the blocks of a page, with their files, modes and output', () => {
    const text = page(
      'ts\n// a.ts\nlet a = 1;',
      'text output\n1',
      'ts check\n2;',
      'sh run\nls',
      'json\n{}',
    );
    expect(snippetsOf('docs/a.md', text)).toEqual([
      {
        page: 'docs/a.md',
        line: 3,
        language: 'ts',
        isRun: true,
        file: 'a.ts',
        text: '// a.ts\nlet a = 1;\n',
        output: '1\n',
      },
      {
        page: 'docs/a.md',
        line: 16,
        language: 'ts',
        isRun: false,
        file: 'line-16.ts',
        text: '2;\n',
      },
      {
        page: 'docs/a.md',
        line: 22,
        language: 'sh',
        isRun: true,
        file: 'line-22.sh',
        text: 'ls\n',
      },
    ]);
  });

  it('finds the examples of a source and nothing else in it', () => {
    const text = `/** File. */\n/**\n * Words.\n *\n * @example\n * ${fence}ts\n * if (a) {\n *   b();\n * }\n * ${fence}\n */\nconst x = \`\n${fence}ts\nno\n${fence}\`;\n`;
    expect(snippetsOf('src/a.ts', text)).toEqual([
      {
        page: 'src/a.ts',
        line: 6,
        language: 'ts',
        isRun: true,
        file: 'line-6.ts',
        text: 'if (a) {\n  b();\n}\n',
      },
    ]);
  });

  it('refuses words that mean nothing, so that no snippet escapes by a slip', () => {
    expect(() => snippetsOf('a.md', page('ts no-run\n1;'))).toThrow('a.md:3');
    expect(() => snippetsOf('a.md', page('typescript\n1;'))).toThrow('means nothing');
    expect(() => snippetsOf('a.md', page('text output\n1'))).toThrow('output of nothing');
  });
});

describe('a snippet workshop', () => {
  it('sees wrong types and failed runs, and lets later snippets import earlier ones', () => {
    const text = page(
      'ts\n// a.ts\nexport const one: number = 1;',
      "ts\nimport { z } from 'zod';\nimport { one } from './a.ts';\nconsole.log(z.number().parse(one));",
      "ts check\nexport const two: number = 'two';",
      'sh run\ntest -f a.ts && echo found',
      'sh run\nexit 3',
    );
    const [a, b, wrong, shell, failing] = snippetsOf('docs/a.md', text);
    if (!a || !b || !wrong || !shell || !failing) throw new Error('a snippet was not found');
    using workshop = openSnippetWorkshop();

    expect(workshop.checkTypes([a, b, wrong])).toEqual([
      expect.stringMatching(/^pages\/docs\/a\.md\/line-18\.ts\(1,14\): error TS2322/),
    ]);
    expect(workshop.run(b)).toMatchObject({ status: 0, stdout: '1\n' });
    expect(workshop.run(shell)).toMatchObject({ status: 0, stdout: 'found\n' });
    expect(workshop.run(failing).status).toBe(3);
  });
});
