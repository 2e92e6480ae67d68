/** What the pages show is true: every snippet compiles, runs, and prints what the page says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnippetWorkshop, type SnippetWorkshop } from './helpers/snippet-workshop.ts';
import { type Snippet, snippetsOf } from './helpers/snippets-of.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = ['README.md', ...below('docs', '.md'), ...below('src', '.ts')];
const snippets = new Map(pages.map(page => [page, snippetsOf(page, textOf(page))]));
const withSnippets = pages.filter(page => snippets.get(page)?.length);

describe('the pages', () => {
  let workshop: SnippetWorkshop;
  let complaints: readonly string[] = [];

  beforeAll(() => {
    workshop = openSnippetWorkshop();
    const typed = [...snippets.values()].flat().filter(({ language }) => language === 'ts');
    complaints = typed.length === 0 ? [] : workshop.checkTypes(typed);
  }, 120_000);
  afterAll(() => workshop[Symbol.dispose]());

  it.each(withSnippets)(
    'the snippets of %s hold',
    page => {
      expect(complaints.filter(line => line.startsWith(`pages/${page}/`))).toEqual([]);
      for (const snippet of snippets.get(page) ?? []) {
        if (snippet.isRun) expectToRun(workshop, snippet);
        else if (snippet.language === 'sh') expect(unknownScriptsIn(snippet)).toEqual([]);
      }
    },
    300_000,
  );

  it('link to files that are there', () => {
    const broken = pages.filter(page => page.endsWith('.md')).flatMap(brokenLinksOf);
    expect(broken).toEqual([]);
  });
});

function expectToRun(workshop: SnippetWorkshop, snippet: Snippet): void {
  const { status, stdout, stderr } = workshop.run(snippet);
  expect(status, `${snippet.page}:${snippet.line}\n${stdout}${stderr}`).toBe(0);
  if (snippet.output !== undefined) {
    expect(stdout, `what ${snippet.page}:${snippet.line} prints`).toBe(snippet.output);
  }
}

/** The `npm run` scripts that a snippet names and package.json does not have. */
function unknownScriptsIn({ page, line, text }: Snippet): string[] {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  return [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))/g)]
    .map(match => match[1] ?? match[2] ?? '')
    .filter(script => scripts[script] === undefined)
    .map(script => `${page}:${line} names the script ${script}`);
}

function brokenLinksOf(page: string): string[] {
  const folder = page.split('/').slice(0, -1).join('/');
  return [...textOf(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
    .map(match => match[1] ?? '')
    .filter(link => !isThere(join(folder, link)))
    .map(link => `${page} links to ${link}`);
}

function isThere(path: string): boolean {
  try {
    readdirSync(join(root, path));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR';
  }
}

function below(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(ending))
    .map(path => `${folder}/${path}`)
    .sort();
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
