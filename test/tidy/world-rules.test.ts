/** The rule about time, chance, disk and network sees each way around the ports. */
import { describe, expect, it } from 'vitest';
import { type Rule, treeOf } from './tree.ts';
import { throughPortsExcept } from './world-rules.ts';

type Texts = Record<string, string>;

const complaintsOf = (rule: Rule, texts: Texts) => rule.check(treeOf(texts));

const throughPorts = throughPortsExcept([]);

describe('the world', () => {
  it.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = Date();',
    'Math.random();',
    'setTimeout(() => {}, 1);',
    'globalThis.setTimeout(() => {}, 1);',
    'const later = setImmediate;',
    'performance.now();',
    'process.hrtime.bigint();',
    'AbortSignal.timeout(5);',
    'crypto.randomUUID();',
    'new WeakRef({});',
    "import { readFileSync } from 'node:fs';",
    "import { readFile } from 'fs/promises';",
    "import net from 'node:net';",
    "import { randomBytes } from 'node:crypto';",
    "import * as crypto from 'node:crypto';",
    "await import('node:os');",
  ])('is not touched by %s', text => {
    expect(complaintsOf(throughPorts, { 'src/agent/a.ts': text })).toHaveLength(1);
  });

  it.each([
    'const now = clock.now();',
    'const then = new Date(0);',
    'interface Clock { setTimeout(delayMs: number): void }',
    'clock.setTimeout(5);',
    'const timers = { setTimeout: 5 };',
    "import { createHash } from 'node:crypto';",
    "import type { Socket } from 'node:net';",
    'Math.max(1, 2);',
  ])('is left alone by %s', text => {
    expect(complaintsOf(throughPorts, { 'src/agent/a.ts': text })).toEqual([]);
  });

  it('may be touched by engines, faces and tests', () => {
    const text = 'setTimeout(() => {}, Date.now());';
    const texts = {
      'src/engines/system/clock.ts': text,
      'src/cli/main.ts': text,
      'src/gateway/admin.ts': text,
      'test/a.ts': text,
    };
    expect(complaintsOf(throughPorts, texts)).toEqual([]);
  });

  it('has exceptions by name, and none that is not needed', () => {
    const rule = throughPortsExcept([
      { path: 'src/testing/a.ts', what: 'setImmediate', reason: 'it drains the microtasks' },
      { path: 'src/testing/b.ts', what: 'Date.now', reason: 'it did once' },
    ]);
    const text = 'setImmediate(() => {});\nDate.now();';
    expect(complaintsOf(rule, { 'src/testing/a.ts': text })).toEqual([
      'src/testing/a.ts:2 uses Date.now',
      'src/testing/b.ts: nothing uses Date.now',
    ]);
  });
});
