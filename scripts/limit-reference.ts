/**
 * Writes `docs/reference/limits.md` from the table of limits, so that both say the same.
 * `node scripts/limit-reference.ts` writes it; a test says when it is out of step.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allLimits, type LimitText } from '../src/agent/limits.ts';

const page = fileURLToPath(new URL('../docs/reference/limits.md', import.meta.url));

/** The text of the page. */
export function limitReference(): string {
  const parts = sections.flatMap(({ scope, title, intro }) => [
    `## ${title}`,
    '',
    ...intro,
    '',
    '| Name | Default | At least | What it bounds | At the bound |',
    '|---|---|---|---|---|',
    ...allLimits()
      .filter(([, limit]) => limit.scope === scope)
      .map(([name, limit]) => rowOf(name, limit)),
    '',
  ]);
  return [...preface, ...parts].join('\n');
}

/** A number of milliseconds, bytes or pieces as people write it. */
export function amountText(amount: number, unit: LimitText['unit']): string {
  if (unit === 'count') return amount.toLocaleString('en-US');
  for (const [size, name] of unit === 'span' ? spans : sizes) {
    if (amount >= size && amount % size === 0) return `${amount / size} ${name}`;
  }
  return unit === 'span' ? `${amount} ms` : `${amount} bytes`;
}

const spans = [
  [86_400_000, 'd'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

const sizes = [
  [1_073_741_824, 'GiB'],
  [1_048_576, 'MiB'],
  [1_024, 'KiB'],
] as const;

const preface = [
  '# Defaults and limits',
  '',
  '<!-- Written by scripts/limit-reference.ts from src/agent/limits.ts: change the texts there. -->',
  '',
  'Everything has a bound, and every bound has a name, a default and something that happens there.',
  'In code, bytes and pieces are whole numbers; times are milliseconds, or a number with `ms`, `s`,',
  "`m`, `h` or `d`, as in `'1h'`.",
  '',
];

const sections = [
  {
    scope: 'type',
    title: 'For a type of agents',
    intro: ['Set in its contract, under `limits`.'],
  },
  {
    scope: 'node',
    title: 'For a node',
    intro: ['Set in `createTroupe`, under `limits`.'],
  },
  {
    scope: 'fixed',
    title: 'Fixed',
    intro: ['Part of the formats on disk and between nodes, and the same everywhere.'],
  },
] as const;

function rowOf(name: string, limit: LimitText): string {
  const error = /^[A-Z_]+$/.test(limit.error) ? `[\`${limit.error}\`](errors.md)` : limit.error;
  const cells = [
    `\`${name}\``,
    amountText(limit.default, limit.unit),
    limit.scope === 'fixed' ? '' : amountText(limit.min, limit.unit),
    limit.meaning,
    error,
  ];
  return `| ${cells.join(' | ')} |`;
}

if (import.meta.main) writeFileSync(page, limitReference());
