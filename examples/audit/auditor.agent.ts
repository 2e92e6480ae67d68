/** What an auditor does: three steps that read the disk, then one message to the licence's agent. */
import { implement } from '../../src/index.ts';
import { auditor } from './auditor.ts';
import { licence, licenceKey } from './licence.ts';
import { measureFiles, readManifest, recogniseLicence } from './packages.ts';
import { booked } from './step-book.ts';

/** The behaviour of {@link auditor}. */
export const auditorAgent = implement(auditor, {
  async examine(ctx, { crew, audit, folder }) {
    const step = <Value>(name: string, look: (folder: string) => Promise<Value>) =>
      ctx.step(name, folder, () => booked(`${audit} ${name} ${folder}`, () => look(folder)));
    const manifest = await step('read', async path => (await readManifest(path)) ?? null);
    if (manifest === null) return null;
    const measure = await step('measure', measureFiles);
    const recognised = await step('recognise', recogniseLicence);
    const result = { manifest, measure, recognised };
    await ctx
      .get(licence, licenceKey(crew, manifest.licence))
      .execute('add', { audit, result }, { timeout: '1h' });
    await ctx.update(turn => {
      turn.state.result = result;
    });
    return { licence: manifest.licence };
  },

  result: ctx => ctx.state.result,
});
