/** How the work of an audit went: turns, finished steps, and what a restart found or had to repeat. */
import type { Page, PageOptions, RunInfo, Troupe } from '../../src/index.ts';
import type { auditor } from './auditor.ts';
import type { crew } from './crew.ts';
import type { licence } from './licence.ts';
import type { AuditReport } from './report.ts';
import { bodiesFinishedHere } from './step-book.ts';

/** A node that knows the agents of the audit. */
export type AuditTroupe = Troupe<typeof crew | typeof auditor | typeof licence>;

/** What a report says of the work. */
export type Work = Pick<AuditReport, 'turns' | 'steps' | 'resumed' | 'repeated'>;

/** The work of a crew's last audit. */
export async function workOf(troupe: AuditTroupe, key: string): Promise<Work> {
  const runs = await runsOf(troupe, key);
  const effects = runs.flatMap(run => run.steps.filter(({ kind }) => kind === 'step'));
  const finished = effects.filter(({ status }) => status === 'done');
  const steps: Record<string, number> = {};
  for (const { name } of finished) steps[name] = (steps[name] ?? 0) + 1;
  return {
    turns: await turnsOf(troupe, key),
    steps,
    resumed: Math.max(0, finished.length - bodiesFinishedHere()),
    repeated: effects.reduce((sum, { attempts }) => sum + attempts - 1, 0),
  };
}

/** The crew's last run, and the runs of its auditors since that began. */
async function runsOf(troupe: AuditTroupe, key: string): Promise<RunInfo[]> {
  const ofCrew = await troupe.agents.get(`crew/${key}`).runs.list();
  const last = [...ofCrew].sort((one, other) => +one.startedAt - +other.startedAt).at(-1);
  if (last === undefined) return [];
  const ofAuditors = await all(page => troupe.runs.list({ type: 'auditor', ...page }));
  const isOfAudit = ({ agent, startedAt }: RunInfo) =>
    agent.startsWith(`auditor/${key}/`) && startedAt >= last.startedAt;
  return [last, ...ofAuditors.filter(isOfAudit)];
}

/** The versions of all agents of a crew, each of which is one turn. */
async function turnsOf(troupe: AuditTroupe, key: string): Promise<number> {
  const { agents } = troupe;
  const auditors = await all(page => agents.list({ type: 'auditor', prefix: `${key}/`, ...page }));
  const licences = await all(page => agents.list({ type: 'licence', prefix: `${key}/`, ...page }));
  const answers = [
    agents.get(`crew/${key}`).tryExecute('present'),
    ...auditors.map(one => agents.get(`auditor/${one.key}`).tryExecute('result')),
    ...licences.map(one => agents.get(`licence/${one.key}`).tryExecute('count')),
  ];
  const positions = (await Promise.all(answers)).flatMap(({ position }) => position ?? []);
  return positions.reduce((sum, { version }) => sum + version, 0);
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
