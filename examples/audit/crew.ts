/**
 * What a crew offers: it audits all packages below one folder with the help of the other agents.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineAgent, read, task, turn } from '../../src/index.ts';

const names = z.array(z.string());

/** What an audit found, as a schema. */
export const findings = z.object({
  packages: z.number().int(),
  files: z.number().int(),
  bytes: z.number().int(),
  byLicence: z.map(z.string(), z.number().int()),
  undeclared: names,
  mismatched: names,
  duplicates: z.map(z.string(), names),
  installScripts: names,
});

/** What became of the steps of an audit. */
export const stepCounts = z.object({
  /** Finished steps by name. */
  steps: z.record(z.string(), z.number().int()),
  /** How often a step was begun again because it had been cut off. */
  repeated: z.number().int(),
});

/** The crew of one folder. */
export const crew = defineAgent('crew', {
  state: z.object({
    /** The number of the present or last audit. */
    audit: z.number().int().default(0),
    /** The last audit whose report was handed over. */
    delivered: z.number().int().default(0),
  }),
  actions: {
    /** The audit to go on with, or a new one when the last was delivered. */
    begin: turn({ output: z.number().int() }),
    /** Says that the report of an audit was handed over, so that the next `begin` begins anew. */
    deliver: turn({ input: z.number().int() }),
    /** The number of the present or last audit. */
    present: read({ output: z.number().int() }),
    /** Audits the folder; writes how far it is, after each package. */
    audit: task({
      input: z.object({ folder: z.string(), audit: z.number().int() }),
      output: z.object({ ...findings.shape, ...stepCounts.shape }),
      stream: z.object({
        done: z.number().int(),
        total: z.number().int(),
        /** The package that was done last, by its path below the folder. */
        last: z.string().optional(),
      }),
    }),
  },
  // A tree of 20,000 packages: one call for each, and a list of their folders.
  limits: {
    effectsMax: 100_000,
    chunksMax: 100_000,
    payloadBytesMax: 16 * 1024 * 1024,
    stateBytesMax: 64 * 1024 * 1024,
  },
});

/** The key of the crew of a folder: a path may be longer than a key. */
export function crewKey(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}

/** The key of a crew's auditor for a package, by its path below the folder. */
export function auditorKey(crewOfFolder: string, path: string): string {
  const key = `${crewOfFolder}/${path}`;
  return Buffer.byteLength(key) <= auditorKeyBytesMax
    ? key
    : `${crewOfFolder}/${createHash('sha256').update(path).digest('hex')}`;
}

const auditorKeyBytesMax = 400;
