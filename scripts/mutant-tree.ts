/**
 * A copy of the tree in which mutants live: the tree itself is never touched. A mutant is applied,
 * checked and taken back; one that does not fit, or is no program any more, is told apart from one
 * that is noticed.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyHunk, type Mutant } from './mutant-file.ts';

/** What the checks need of the tree. */
const copied = [
  'bench',
  'bin',
  'docs',
  'examples',
  'scripts',
  'src',
  'test',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
] as const;

/** A copy of the tree. */
export class MutantTree {
  readonly path: string;
  /** The texts that a mutant stands in the place of, by path. */
  readonly #originals = new Map<string, string>();

  constructor(root: string) {
    this.path = mkdtempSync(join(tmpdir(), 'troupe-mutants-'));
    for (const name of copied) {
      const source = join(root, name);
      if (existsSync(source)) cpSync(source, join(this.path, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.path, 'node_modules'));
  }

  /** Plants a mutant; returns a sentence when it does not fit, and the copy is as before then. */
  apply(mutant: Mutant): string | undefined {
    const texts = new Map<string, string>();
    for (const hunk of mutant.hunks) {
      const text = texts.get(hunk.path) ?? this.#read(hunk.path);
      if (text === undefined) return `there is no file ${hunk.path}`;
      const applied = applyHunk(text, hunk);
      if (typeof applied === 'string') return applied;
      texts.set(hunk.path, applied.text);
    }
    for (const [path, text] of texts) {
      const mistake = mistakeIn(text);
      if (mistake !== undefined) return `${path} is no program with it: ${mistake}`;
    }
    for (const [path, text] of texts) {
      this.#originals.set(path, this.#read(path) ?? '');
      writeFileSync(join(this.path, path), text);
    }
    return undefined;
  }

  /** Takes the mutant back. */
  restore(): void {
    for (const [path, text] of this.#originals) writeFileSync(join(this.path, path), text);
    this.#originals.clear();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #read(path: string): string | undefined {
    const file = join(this.path, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
}

function mistakeIn(text: string): string | undefined {
  try {
    stripTypeScriptTypes(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
