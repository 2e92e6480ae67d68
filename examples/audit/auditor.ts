/** What an auditor offers: there is one for each package, and it looks at that package in steps. */
import { z } from 'zod';
import { defineAgent, read, task } from '../../src/index.ts';

const attempts = z.record(z.string(), z.number().int());

/** How often each step that finished had been begun, by its name. */
export type Attempts = z.infer<typeof attempts>;

/** What was found in one package, as a schema. */
export const packageResult = z.object({
  manifest: z.object({
    name: z.string(),
    version: z.string(),
    licence: z.string().nullable(),
    hasInstallScript: z.boolean(),
  }),
  measure: z.object({ files: z.number().int(), bytes: z.number().int() }),
  recognised: z.array(z.string()),
});

/** An auditor of one package. */
export const auditor = defineAgent('auditor', {
  state: z.object({ result: packageResult.nullable().default(null) }),
  actions: {
    /** Looks at the package and tells the agent of its licence; answers with that licence. */
    examine: task({
      input: z.object({
        /** The key of the crew, and which of its audits this is. */
        crew: z.string(),
        audit: z.number().int(),
        /** The folder of the package. */
        folder: z.string(),
      }),
      output: z.object({
        /** The declared licence; left out when the folder is no package any more. */
        licence: z.string().nullable().optional(),
        attempts,
      }),
    }),
    /** What was found when the package was last examined. */
    result: read({ output: packageResult.nullable() }),
  },
});
