/**
 * The rules of the project that no linter knows, on the whole tree. Each rule is a value in
 * `test/tidy/`, with a fixture beside it that breaks it.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rules } from './tidy/rules.ts';
import { treeOnDisk } from './tidy/tree.ts';

const tree = treeOnDisk(fileURLToPath(new URL('..', import.meta.url)));

describe('the tree', () => {
  it.each(rules)('$name', rule => {
    expect(rule.check(tree)).toEqual([]);
  });
});
