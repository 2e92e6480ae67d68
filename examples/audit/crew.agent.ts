/** What a crew does: it lists the packages, has each examined, and adds up what comes back. */
import { join } from 'node:path';
import { implement } from '../../src/index.ts';
import { auditor } from './auditor.ts';
import { auditorKey, crew } from './crew.ts';
import { eachOf } from './each-of.ts';
import { licence, licenceKey } from './licence.ts';
import { listPackages } from './packages.ts';
import { findingsOf, sumOf, type Tally } from './report.ts';
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
    const paths = await ctx.step('list', folder, () =>
      booked(`${audit} list ${folder}`, () => listPackages(folder)),
    );
    const total = paths.length;
    let done = 0;
    const declared = new Set<string | null>();
    ctx.write({ done, total });
    await eachOf(paths, examinedAtOnceMax, async path => {
      const examined = await ctx
        .get(auditor, auditorKey(ctx.key, path))
        .execute(
          'examine',
          { crew: ctx.key, audit, folder: join(folder, path) },
          { key: path, timeout: '24h' },
        );
      if (examined !== null) declared.add(examined.licence);
      done += 1;
      ctx.write({ done, total });
    });
    const tallies: Tally[] = [];
    for (const name of [...declared].sort()) {
      const agent = ctx.get(licence, licenceKey(ctx.key, name));
      tallies.push(await agent.execute('tally', { audit }));
    }
    return findingsOf(sumOf(tallies));
  },
});
