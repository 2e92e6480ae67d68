/** What an auditor does: three steps that read the disk, then it tells the agent of the licence. */
import { implement } from '../../src/index.ts';
import { auditor } from './auditor.ts';
import { licence, licenceKey } from './licence.ts';
import { measureFiles, readManifest, recogniseLicence } from './packages.ts';
import { booked } from './step-book.ts';

/** The behaviour of {@link auditor}. */
export const auditorAgent = implement(auditor, {
  async examine(ctx, { crew, audit, folder }) {
    const attempts: Record<string, number> = {};
    // A step that finished is not run again after a crash: what it found is in the agent's log.
    const step = async <Value>(name: string, look: (folder: string) => Promise<Value>) => {
      const { found, attempt } = await ctx.step(name, folder, async ({ attempt }) => ({
        found: await booked(`${audit} ${name} ${folder}`, () => look(folder)),
        attempt,
      }));
      attempts[name] = attempt;
      return found;
    };

    const manifest = await step('read', readManifest);
    if (manifest === undefined) return { attempts };
    const measure = await step('measure', measureFiles);
    const recognised = await step('recognise', recogniseLicence);
    const result = { manifest, measure, recognised };

    // A call is a step too: it counts once, however often this task is cut off and goes on.
    const agent = ctx.get(licence, licenceKey(crew, manifest.licence));
    await agent.execute('add', { audit, result });
    await ctx.update(turn => {
      turn.state.result = result;
    });
    return { licence: manifest.licence, attempts };
  },

  result: ctx => ctx.state.result,
});
