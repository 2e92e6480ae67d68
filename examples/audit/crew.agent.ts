/** What a crew does: it lists the packages, has each examined, and adds up what comes back. */
import { join } from 'node:path';
import { implement } from '../../src/index.ts';
import { type Attempts, auditor } from './auditor.ts';
import { auditorKey, crew } from './crew.ts';
import { eachOf } from './each-of.ts';
import { licence, licenceKey } from './licence.ts';
import { listPackages } from './packages.ts';
import { countSteps, findingsOf, sumOf, type Tally } from './report.ts';
import { booked } from './step-book.ts';

/** So many packages are examined at once: more do not make the disk faster. */
const examinedAtOnceMax = 32;

/** The behaviour of {@link crew}. */
export const crewAgent = implement(crew, {
  begin(ctx) {
    if (ctx.state.delivered === ctx.state.audit) ctx.state.audit += 1;
    return ctx.state.audit;
  },

  deliver(ctx, audit) {
    ctx.state.delivered = Math.max(ctx.state.delivered, audit);
  },

  present: ctx => ctx.state.audit,

  async audit(ctx, { folder, audit }) {
    const list = await ctx.step('list', folder, async ({ attempt }) => ({
      paths: await booked(`${audit} list ${folder}`, () => listPackages(folder)),
      attempt,
    }));
    const total = list.paths.length;
    let done = 0;
    ctx.write({ done, total });

    const steps: Attempts[] = [{ list: list.attempt }];
    const declared = new Set<string | null>();
    await eachOf(list.paths, examinedAtOnceMax, async path => {
      const agent = ctx.get(auditor, auditorKey(ctx.key, path));
      const input = { crew: ctx.key, audit, folder: join(folder, path) };
      // Calls at the same time need keys: a resumed run finds the answers to earlier ones by them.
      const { licence, attempts } = await agent.execute('examine', input, { key: path });
      if (licence !== undefined) declared.add(licence);
      steps.push(attempts);
      done += 1;
      ctx.write({ done, total, last: path });
    });

    const tallies: Tally[] = [];
    for (const name of [...declared].sort()) {
      const agent = ctx.get(licence, licenceKey(ctx.key, name));
      tallies.push(await agent.execute('tally', { audit }));
    }
    return { ...findingsOf(sumOf(tallies)), ...countSteps(steps) };
  },
});
