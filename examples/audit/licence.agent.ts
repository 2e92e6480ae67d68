/** What a licence agent does: it keeps what it is told once, and adds it up when asked. */
import { implement } from '../../src/index.ts';
import { licence } from './licence.ts';
import { sumOf, tallyOf } from './report.ts';

/** The behaviour of {@link licence}. */
export const licenceAgent = implement(licence, {
  add(ctx, { audit, result }) {
    if (audit < ctx.state.audit) ctx.reject('audit_is_over', { present: ctx.state.audit });
    if (audit > ctx.state.audit) ctx.state = { audit, found: [] };
    ctx.state.found.push(result);
  },

  count: ctx => ctx.state.found.length,

  tally(ctx, { audit }) {
    const found = ctx.state.audit === audit ? ctx.state.found : [];
    return sumOf(found.map(tallyOf));
  },
});
