/**
 * One audit from its beginning, or from where it was cut off, to its report. Whatever this process
 * does not live to see, the next one on the same data does.
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentRef, TroupeError } from '../../src/index.ts';
import { type crew, crewKey } from './crew.ts';
import type { Progress } from './progress.ts';
import type { AuditReport } from './report.ts';
import { bodiesFinishedHere, bookAnswer } from './step-book.ts';
import { type AuditTroupe, turnsOf } from './turns.ts';

/** A finished audit whose report has not been handed over yet. */
export interface FinishedAudit {
  readonly report: AuditReport;
  /** Says that the report was handed over: only then does the next audit begin anew. */
  deliver(): Promise<void>;
}

/** Audits a folder with a node that is started; `show` is told how far it is. */
export async function runAudit(
  troupe: AuditTroupe,
  folder: string,
  show: (progress: Progress) => void,
): Promise<FinishedAudit> {
  const root = await realpath(folder);
  const key = crewKey(root);
  const crewOfFolder = troupe.agents.get(`crew/${key}`);
  const audit = await crewOfFolder.execute('begin');
  const from = await chunksSeen(crewOfFolder);
  // With the key, a process that starts again joins the run that goes on, and starts no second one.
  const options = { idempotencyKey: `audit-${audit}`, from };
  const run = crewOfFolder.stream('audit', { folder: root, audit }, options);
  try {
    for await (const progress of run) {
      show(progress);
      if (progress.last !== undefined) bookAnswer(`${audit} ${join(root, progress.last)}`);
    }
    const found = await run.result;
    bookAnswer(`${audit}`);
    const finished = Object.values(found.steps).reduce((sum, count) => sum + count, 0);
    const resumed = Math.max(0, finished - bodiesFinishedHere());
    const report = { ...found, turns: await turnsOf(troupe, key), resumed };
    return { report, deliver: () => crewOfFolder.execute('deliver', audit) };
  } catch (error) {
    // A run that failed is over: the next start must not find its failure again.
    if (TroupeError.is(error) && error.outcome === 'executed')
      await crewOfFolder.execute('deliver', audit);
    throw error;
  }
}

/** How much of its progress a run that goes on has told to earlier processes: a chunk a package. */
async function chunksSeen(crewOfFolder: AgentRef<typeof crew>): Promise<number> {
  const runs = await crewOfFolder.runs.list();
  const goingOn = runs.find(({ status }) => status === 'running' || status === 'waiting');
  return (
    goingOn?.steps.filter(({ kind, status }) => kind === 'call' && status === 'done').length ?? 0
  );
}
