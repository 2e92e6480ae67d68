/**
 * What the agents of an audit do not know themselves: how often they were turned to, all together.
 */
import type { Page, PageOptions, Troupe } from '../../src/index.ts';
import type { auditor } from './auditor.ts';
import type { crew } from './crew.ts';
import type { licence } from './licence.ts';

/** A node that knows the agents of the audit. */
export type AuditTroupe = Troupe<typeof crew | typeof auditor | typeof licence>;

/**
 * The turns of a crew and its agents since their data began. The version of an agent counts its
 * own.
 */
export async function turnsOf({ agents }: AuditTroupe, key: string): Promise<number> {
  const page = { prefix: `${key}/` };
  const auditors = all(next => agents.list({ type: 'auditor', ...page, ...next }));
  const licences = all(next => agents.list({ type: 'licence', ...page, ...next }));
  const asked = [
    agents.get(`crew/${key}`).tryExecute('present'),
    ...(await auditors).map(one => agents.get(`auditor/${one.key}`).tryExecute('result')),
    ...(await licences).map(one => agents.get(`licence/${one.key}`).tryExecute('present')),
  ];
  const answers = await Promise.all(asked);
  return answers.reduce((turns, { position }) => turns + (position?.version ?? 0), 0);
}

async function all<Item>(list: (page: PageOptions) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit: 1_000, cursor });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}
