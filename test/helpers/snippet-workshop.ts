/**
 * A folder in which snippets are checked and run as a user would: each page has a folder of its
 * own, `troupe` and the packages of the docs are found in node_modules, `troupe` is a command.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Snippet } from './snippets-of.ts';

/** What a snippet did. */
export interface SnippetResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The folder, with what can be done in it. */
export interface SnippetWorkshop {
  /** The complaints of the compiler, each with page, line within the snippet and text. */
  checkTypes(snippets: readonly Snippet[]): string[];
  /** Runs a snippet; those before it on the same page have been written and run. */
  run(snippet: Snippet): SnippetResult;
  [Symbol.dispose](): void;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const timeoutMs = 60_000;

/** Makes the folder; whoever made it disposes of it. */
export function openSnippetWorkshop(): SnippetWorkshop {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-snippets-'));
  furnish(folder);
  const start = (command: string, parameters: readonly string[], cwd: string): SnippetResult =>
    spawnSync(command, parameters, {
      cwd,
      encoding: 'utf8',
      timeout: timeoutMs,
      env: { ...process.env, NO_COLOR: '1', PATH: searchPath(folder) },
    });
  return {
    checkTypes: snippets => {
      for (const snippet of snippets) write(folder, snippet);
      const { stdout } = start('tsc', ['-p', folder], folder);
      return stdout.split('\n').filter(line => line.startsWith('pages/') && line.includes('error'));
    },
    run: snippet => {
      const path = write(folder, snippet);
      return snippet.language === 'ts'
        ? start(process.execPath, [path], dirname(path))
        : start('bash', ['-eu', path], dirname(path));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function searchPath(folder: string): string {
  const installed = join(root, 'node_modules/.bin');
  return [join(folder, 'bin'), installed, process.env.PATH].join(delimiter);
}

function write(folder: string, snippet: Snippet): string {
  const path = join(folder, 'pages', snippet.page, snippet.file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, snippet.text);
  return path;
}

/** Everything beside the pages. Links lead to the real sources: what is tested is this tree. */
function furnish(folder: string): void {
  const packages = join(folder, 'node_modules');
  mkdirSync(join(packages, 'troupe'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  writeFileSync(join(packages, 'troupe/package.json'), JSON.stringify(troupePackage));
  symlinkSync(join(root, 'src'), join(packages, 'troupe/src'));
  for (const name of ['zod', '@types']) {
    symlinkSync(join(root, 'node_modules', name), join(packages, name));
  }
  mkdirSync(join(folder, 'bin'));
  const command = `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'src/cli/main.ts')}" "$@"\n`;
  writeFileSync(join(folder, 'bin/troupe'), command, { mode: 0o755 });
}

const configuration = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: { noEmit: true },
  include: ['pages/**/*.ts'],
};

const troupePackage = {
  name: 'troupe',
  type: 'module',
  exports: { '.': './src/index.ts', './testing': './src/testing/index.ts' },
};
