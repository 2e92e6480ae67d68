/** What an auditor offers: there is one for each package, and it looks at that package in steps. */
import { z } from 'zod';
import { defineAgent, read, task } from '../../src/index.ts';

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
      /** Nothing when the folder has gone meanwhile, or is no package any more. */
      output: z.object({ licence: z.string().nullable() }).nullable(),
    }),
    result: read({ output: packageResult.nullable() }),
  },
});
