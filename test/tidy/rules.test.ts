/** Each tidy rule complains about a fixture that breaks it, and not about one that keeps it. */
import { describe, expect, it } from 'vitest';
import {
  exportsExplained,
  fileNames,
  importExtensions,
  noDefaultExports,
  noMachinePaths,
  onlyTroupeErrors,
  openingComment,
} from './code-rules.ts';
import {
  folderDepth,
  layerOrder,
  noCycles,
  noDeadFiles,
  surfaceOnlyReExports,
} from './layer-rules.ts';
import { rules } from './rules.ts';
import { bodyLines, fileLines, lineColumns, parameterCount } from './size-rules.ts';
import { type Rule, treeOf } from './tree.ts';

type Texts = Record<string, string>;

const complaintsOf = (rule: Rule, texts: Texts) => rule.check(treeOf(texts));
const importing = (from: string, to: string): Texts => ({ [from]: `import { x } from '${to}';` });

describe('layer order', () => {
  it.each([
    ['left', 'src/state/a.ts', '../agent/b.ts', 'agent lies left of state'],
    ['an engine', 'src/agent/a.ts', '../engines/memory/log.ts', 'only node and testing'],
    [
      'state from an engine',
      'src/engines/memory/log.ts',
      '../../state/a.ts',
      'engines import only',
    ],
    ['another engine', 'src/engines/memory/log.ts', '../embedded/log.ts', 'engines import only'],
    ['routing from coordination', 'src/coordination/a.ts', '../routing/b.ts', 'client and core'],
    ['the surface', 'src/agent/a.ts', '../index.ts', 'for users'],
    ['a test', 'src/agent/a.ts', '../../test/a.ts', 'outside src'],
  ])('refuses to import %s', (_, from, to, complaint) => {
    expect(complaintsOf(layerOrder, importing(from, to))).toEqual([
      expect.stringContaining(complaint),
    ]);
  });

  it.each([
    ['src/agent/a.ts', '../state/b.ts'],
    ['src/agent/a.ts', './b.ts'],
    ['src/engines/memory/log.ts', '../../ports/log.ts'],
    ['src/engines/memory/log.ts', './disk.ts'],
    ['src/node/node.ts', '../engines/memory/log.ts'],
    ['src/coordination/a.ts', '../client/b.ts'],
    ['src/index.ts', './testing/a.ts'],
    ['test/a.ts', '../src/index.ts'],
  ])('lets %s import %s', (from, to) => {
    expect(complaintsOf(layerOrder, importing(from, to))).toEqual([]);
  });

  it.each([
    "import type { x } from '../agent/b.ts';",
    "export * from '../agent/b.ts';",
    "type T = import('../agent/b.ts').x;",
    "const b = await import('../agent/b.ts');",
  ])('sees %s', text => {
    expect(complaintsOf(layerOrder, { 'src/state/a.ts': text })).toHaveLength(1);
  });
});

describe('the tree of imports', () => {
  it('refuses a circle, over type imports too', () => {
    const texts = {
      'src/core/a.ts': "import type { B } from './b.ts';",
      'src/core/b.ts': "import { c } from './c.ts';",
      'src/core/c.ts': "import { a } from './a.ts';",
    };
    expect(complaintsOf(noCycles, texts)).toEqual([
      'src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts',
    ]);
    expect(complaintsOf(noCycles, { ...texts, 'src/core/c.ts': '' })).toEqual([]);
  });

  it('refuses folders that are too deep or unknown', () => {
    const texts = {
      'src/index.ts': '',
      'src/main.ts': '',
      'src/agent/a.ts': '',
      'src/agent/deep/a.ts': '',
      'src/engines/log.ts': '',
      'src/engines/memory/log.ts': '',
      'src/tools/a.ts': '',
    };
    expect(complaintsOf(folderDepth, texts)).toEqual([
      'src/main.ts: unknown folder',
      'src/agent/deep/a.ts is not 1 below src/agent',
      'src/engines/log.ts is not 2 below src/engines',
      'src/tools/a.ts: unknown folder',
    ]);
  });

  it('refuses a surface that does more than name things', () => {
    const text =
      "export { a } from './a.ts';\nexport * from './b.ts';\nexport const c = 1;\nexport type { D } from './d.ts';";
    expect(complaintsOf(surfaceOnlyReExports, { 'src/index.ts': text })).toEqual([
      expect.stringContaining('src/index.ts:2'),
      expect.stringContaining('src/index.ts:3'),
    ]);
  });

  it('finds files that nothing reaches', () => {
    const texts = {
      'package.json': '{ "main": "./dist/index.js", "scripts": { "go": "node scripts/go.ts" } }',
      'src/index.ts': "export { a } from './core/a.ts';",
      'src/core/a.ts': "new URL('./worker.ts', import.meta.url);",
      'src/core/worker.ts': `new URL(\`./thread.\${extension}\`, import.meta.url);`,
      'src/core/thread.ts': '',
      'src/core/dead.ts': "import './also-dead.ts';",
      'src/core/also-dead.ts': '',
      'scripts/go.ts': '',
      'test/a.test.ts': "import './helpers/b.ts';",
      'test/helpers/b.ts': '',
    };
    expect(complaintsOf(noDeadFiles, texts)).toEqual([
      'src/core/dead.ts is reached from nowhere',
      'src/core/also-dead.ts is reached from nowhere',
    ]);
  });
});

describe('sizes', () => {
  it('counts the lines of files', () => {
    expect(complaintsOf(fileLines, { 'src/core/a.ts': '\n'.repeat(400) })).toEqual([]);
    expect(complaintsOf(fileLines, { 'src/core/a.ts': '\n'.repeat(401) })).toEqual([
      'src/core/a.ts has 401 lines',
    ]);
  });

  it('counts columns, but not those of a text', () => {
    const [word, text] = ['x'.repeat(85), 'long text '.repeat(12)];
    const texts = {
      'src/core/a.ts': `const ${word} = 1;\nconst a${word} = 1000000;\n// ${text}`,
      'src/core/b.ts': `f('${text}');\nf(\`${text}\`);\nf(\`\${1}${text}\`);`,
      'src/core/c.ts': `f('${text}', ${word});`,
    };
    expect(complaintsOf(lineColumns, texts)).toEqual([
      'src/core/a.ts:2 has 103 columns',
      'src/core/a.ts:3 has 123 columns',
    ]);
  });

  it('counts the lines of bodies, but a describe may be long', () => {
    const body = (lines: number) => `{${'\n'.repeat(lines + 1)}}`;
    const texts = {
      'src/core/a.ts': `function a() ${body(60)}\nfunction b() ${body(61)}`,
      'src/core/b.ts': `class C { m() ${body(61)} get g() ${body(61)} }`,
      'test/c.test.ts': `describe('c', () => ${body(61)});\nit('c', () => ${body(61)});`,
      'test/d.test.ts': `describe.each([1])('c', () => ${body(61)});`,
    };
    expect(complaintsOf(bodyLines, texts)).toEqual([
      'src/core/a.ts:63 has 61 lines',
      'src/core/b.ts:1 has 61 lines',
      'src/core/b.ts:63 has 61 lines',
      'test/c.test.ts:64 has 61 lines',
    ]);
  });

  it('counts parameters', () => {
    const text = 'const a = (a, b, c, d) => 1;\nconst b = (a, b, c, d, e) => 1;';
    expect(complaintsOf(parameterCount, { 'src/core/a.ts': text })).toEqual([
      'src/core/a.ts:2 has 5 parameters',
    ]);
  });
});

describe('what a file says', () => {
  it('refuses names in other cases and words that say nothing', () => {
    const texts = {
      'src/core/hash-ring.ts': '',
      'examples/account/account.agent.ts': '',
      'test/helpers/a.ts': '',
      'src/core/hashRing.ts': '',
      'src/core/ring-utils.ts': '',
      'src/helpers/a.ts': '',
    };
    expect(complaintsOf(fileNames, texts)).toEqual([
      'src/core/hashRing.ts: hashRing.ts',
      'src/core/ring-utils.ts: "utils" says nothing',
      'src/helpers/a.ts: "helpers" says nothing',
    ]);
  });

  it('wants an opening comment', () => {
    const texts = {
      'src/core/a.ts': '/** An idea. */\nexport {};',
      'scripts/b.ts': '#!/usr/bin/env node\n// An idea.\n',
      'src/core/c.ts': 'export {};\n/** Too late. */',
    };
    expect(complaintsOf(openingComment, texts)).toEqual(['src/core/c.ts opens without a comment']);
  });

  it('wants TSDoc on what is exported', () => {
    const texts = {
      'src/core/a.ts': `/** File. */
export const a = 1;
/** Explained. */
export function b(): void;
export function b(x?: number): void {}
// Not TSDoc.
export interface C {}
const d = 1;
export { d };
export type { E } from './e.ts';`,
      'src/core/b.ts': '/** File. */\n/** Name. */\nexport class B {}\nexport type T = B;',
      'test/a.test.ts': 'export const a = 1;',
    };
    expect(complaintsOf(exportsExplained, texts)).toEqual([
      'src/core/a.ts:2 exports without TSDoc',
      'src/core/a.ts:7 exports without TSDoc',
      'src/core/b.ts:4 exports without TSDoc',
    ]);
  });

  it('refuses default exports', () => {
    const texts = {
      'src/core/a.ts': 'export default class A {}',
      'src/core/b.ts': 'const b = 1;\nexport default b;',
      'vitest.config.ts': 'export default {};',
    };
    expect(complaintsOf(noDefaultExports, texts)).toHaveLength(2);
  });

  it('wants the ending of a file in imports', () => {
    const text =
      "import './a';\nimport './b.js';\nimport './c.ts';\nimport 'zod';\nexport * from '../d';";
    expect(complaintsOf(importExtensions, { 'src/core/a.ts': text })).toHaveLength(3);
  });

  it('refuses failures without a code', () => {
    const texts = {
      'src/core/a.ts': "throw new Error('a');\nthrow new TroupeError('CANCELLED', {});",
      'src/core/b.ts': "throw error;\nthrow wrapError(error);\nPromise.reject(new TypeError('b'));",
      'src/core/c.ts': "new Promise((_, reject) => reject(new RangeError('c')));",
      'src/testing/log-laws.ts': "throw new Error('the law is broken');",
      'test/a.ts': "throw new Error('a');",
    };
    expect(complaintsOf(onlyTroupeErrors, texts)).toEqual([
      'src/core/a.ts:1 throws Error',
      'src/core/b.ts:3 throws TypeError',
      'src/core/c.ts:1 throws RangeError',
    ]);
  });

  it('refuses the paths of one machine', () => {
    // Put together here, because the rule reads this file too.
    const texts = {
      'README.md': `see ${'/ho'}${'me/anna'}/troupe`,
      'src/core/a.ts': `// ${'/wo'}${'rk/main'}`,
      'docs/b.md': 'GET https://example.com/home/anna and src/work/main and ./tmp/a',
    };
    expect(complaintsOf(noMachinePaths, texts)).toHaveLength(2);
  });
});

describe('the list of rules', () => {
  it('has each rule once, under a name of its own', () => {
    expect(new Set(rules.map(rule => rule.name)).size).toBe(rules.length);
    expect(rules).toHaveLength(21);
  });
});
