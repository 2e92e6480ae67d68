/**
 * What a licence agent offers: there is one for each declared licence, and it adds up its packages.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineAgent, read, turn } from '../../src/index.ts';
import { packageResult } from './auditor.ts';

const names = z.array(z.string());

/** Findings that can be added, as a schema. */
export const tally = z.object({
  packages: z.number().int(),
  files: z.number().int(),
  bytes: z.number().int(),
  byLicence: z.map(z.string(), z.number().int()),
  undeclared: names,
  mismatched: names,
  installScripts: names,
  versions: z.map(z.string(), names),
});

/** All packages of one licence, in the crew's present audit. */
export const licence = defineAgent('licence', {
  state: z.object({
    audit: z.number().int().default(0),
    found: z.array(packageResult).default([]),
  }),
  actions: {
    /** Takes down one package. */
    add: turn({ input: z.object({ audit: z.number().int(), result: packageResult }) }),
    /** The audit that it works for. */
    present: read({ output: z.number().int() }),
    /** The sum over all packages that were taken down in an audit. */
    tally: read({ input: z.object({ audit: z.number().int() }), output: tally }),
  },
  // A tree of 20,000 packages, most of them of one licence.
  limits: { stateBytesMax: 64 * 1024 * 1024, payloadBytesMax: 16 * 1024 * 1024 },
});

/** The key of a crew's agent for a licence: a declaration may be longer than a key. */
export function licenceKey(crew: string, declared: string | null): string {
  if (declared === null) return `${crew}/undeclared`;
  const digest = createHash('sha256').update(declared).digest('hex').slice(0, 16);
  return `${crew}/declared-${digest}`;
}
