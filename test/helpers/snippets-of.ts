/**
 * The snippets of a page: fenced blocks of Markdown, or of `@example` in a TSDoc comment. What the
 * words behind the fence mean is written in docs/contributing.md.
 */

/** A block of a page that the tests look at. */
export interface Snippet {
  readonly page: string;
  /** The line of the fence, from 1. */
  readonly line: number;
  readonly language: 'ts' | 'sh';
  /** Whether the snippet is run; else its types, or the scripts that it names, are checked. */
  readonly isRun: boolean;
  /** The file it is written to. */
  readonly file: string;
  readonly text: string;
  /** What it must print. */
  readonly output?: string;
}

/** The snippets of a Markdown page or a TypeScript source, in order. */
export function snippetsOf(page: string, text: string): Snippet[] {
  const blocks = page.endsWith('.ts') ? blocksOfExamples(text) : blocksOf(text, 0);
  const snippets: Snippet[] = [];
  for (const block of blocks) {
    const previous = snippets.at(-1);
    if (block.info === 'text output') {
      if (previous === undefined) throw new Error(`${page}:${block.line} is the output of nothing`);
      snippets[snippets.length - 1] = { ...previous, output: block.text };
    } else if (modes.has(block.info)) {
      snippets.push(snippetOf(page, block));
    } else if (/^(ts|typescript|sh|bash|js)\b/.test(block.info)) {
      throw new Error(`${page}:${block.line} has a fence "${block.info}" that means nothing`);
    }
  }
  return snippets;
}

interface Block {
  readonly info: string;
  readonly line: number;
  readonly text: string;
}

const modes = new Map([
  ['ts', true],
  ['ts check', false],
  ['sh', false],
  ['sh run', true],
]);

function snippetOf(page: string, { info, line, text }: Block): Snippet {
  const language = info.startsWith('ts') ? 'ts' : 'sh';
  const name = language === 'ts' ? /^\/\/ ([\w.-]+\.ts)\b/.exec(text)?.[1] : undefined;
  const file = name ?? `line-${line}.${language}`;
  return { page, line, language, isRun: modes.get(info) ?? false, file, text };
}

function blocksOf(text: string, lineOffset: number): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; content: string[] } | undefined;
  text.split('\n').forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.content.push(line);
    else if (open === undefined) {
      open = { info: fence[1]?.trim() ?? '', line: lineOffset + index + 1, content: [] };
    } else {
      blocks.push({ info: open.info, line: open.line, text: `${open.content.join('\n')}\n` });
      open = undefined;
    }
  });
  return blocks;
}

function blocksOfExamples(text: string): Block[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(comment => {
    const example = comment[0].indexOf('@example');
    if (example < 0) return [];
    const start = comment.index + example;
    const lineOffset = text.slice(0, start).split('\n').length - 1;
    return blocksOf(comment[0].slice(example).replace(/^\s*\* ?/gm, ''), lineOffset);
  });
}
