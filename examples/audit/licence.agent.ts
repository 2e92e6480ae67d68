/** What a licence agent does: it keeps what it is told, and adds it up when asked. */
import { implement } from '../../src/index.ts';
import { licence } from './licence.ts';
import { sumOf, tallyOf } from './report.ts';

/** The behaviour of {@link licence}. */
export const licenceAgent = implement(licence, {
  add(ctx, { audit, result }) {
    // An auditor may still be at work for an audit that failed elsewhere.
    if (audit < ctx.state.audit) ctx.reject('audit_is_over', { present: ctx.state.audit });
    if (audit > ctx.state.audit) ctx.state = { audit, found: [] };
    ctx.state.found.push(result);
  },

  present: ctx => ctx.state.audit,

  tally(ctx, { audit }) {
    const found = ctx.state.audit === audit ? ctx.state.found : [];
    return sumOf(found.map(tallyOf));
  },
});
