/**
 * Runs the main job again and again on the same data, kills its process group at random moments,
 * and compares what comes out with the plain audit and with the book that the steps keep outside
 * Troupe.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditPlainly } from '../../examples/audit/reference.ts';
import { type AuditReport, canonicalJson, comparable } from '../../examples/audit/report.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { checkStepBook } from '../helpers/step-book-check.ts';
import { type Life, liveUntil, type Moment } from './program-life.ts';

/** What to kill, and how often. */
export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** The folder to audit. */
  readonly folder: string;
  /** An empty directory for the data, the book and the reports. */
  readonly directory: string;
  /** How the job is started; its options are added. */
  readonly command: readonly [program: string, ...parameters: string[]];
  readonly onKill?: ((kill: Kill) => void) | undefined;
}

/** A kill that hit. */
export interface Kill {
  readonly number: number;
  /** How long the process had lived. */
  readonly lifeMs: number;
  /** What the job was doing. */
  readonly stage: string;
  /** Packages whose answer had been seen, of all. */
  readonly done: number;
  readonly total: number;
}

/** What came out. */
export interface KillOutcome {
  readonly kills: readonly Kill[];
  /** Audits that came to their end. */
  readonly audits: number;
  readonly isEqual: boolean;
  readonly violations: readonly string[];
  /** The report of the last audit. */
  readonly report: AuditReport | undefined;
}

/** What the program says when its data are open. */
const marker = /^auditing /m;

/** The share of kills that are meant for the time before. */
const earlyShare = 0.15;

/** A crew examines so many packages at once, and lists them in one step. */
const inFlightMax = 33;

/** Kills the job as planned, then lets it come to its end. */
export async function killAudit(plan: KillPlan): Promise<KillOutcome> {
  const random = new SimRandom(`kills ${plan.seed}`);
  const job = new KilledJob(plan, canonicalJson(await auditPlainly(plan.folder)));
  const whole = await job.live('measured', undefined);
  const workMs = whole.ms - (whole.markedMs ?? 0);
  while (job.kills.length < plan.kills && job.violations.length === 0) {
    const isEarly = random.chance(earlyShare);
    // Any moment of the work, more often an early one: so an audit is cut off several times.
    const spanMs = isEarly ? (whole.markedMs ?? 0) : workMs * random.next();
    await job.live('killed', {
      since: isEarly ? 'start' : 'mark',
      afterMs: random.next() * spanMs,
    });
  }
  await job.live('killed', undefined);
  return job.outcome();
}

/** The job through all its lives. */
class KilledJob {
  readonly kills: Kill[] = [];
  readonly violations: string[] = [];
  readonly #plan: KillPlan;
  readonly #expected: string;
  #audits = 0;
  #report: AuditReport | undefined;

  constructor(plan: KillPlan, expected: string) {
    this.#plan = plan;
    this.#expected = expected;
  }

  /** One life on the data of that name; without a moment, to its end. */
  async live(data: string, moment: Moment | undefined): Promise<Life> {
    const { command, folder, directory } = this.#plan;
    const report = join(directory, `${data}.json`);
    const life = await liveUntil({
      command: [...command, folder, '--data', join(directory, data), '--report', report],
      env: { AUDIT_STEP_BOOK: this.#bookOf(data) },
      marker,
      moment,
    });
    if (life.isKilled) this.#killed(life, data);
    else if (life.status === 0) this.#finished(report, data);
    else this.violations.push(`it ended with status ${life.status}: ${life.output.slice(-500)}`);
    return life;
  }

  outcome(): KillOutcome {
    const isEqual = this.#audits > 0 && !this.violations.some(text => text.startsWith(unequal));
    const { kills, violations } = this;
    return { kills, audits: this.#audits, isEqual, violations, report: this.#report };
  }

  #killed(life: Life, data: string): void {
    const book = this.#bookOf(data);
    const stage = stageOf(readBook(book), life.markedMs !== undefined);
    appendFileSync(book, 'kill\n');
    const total = this.#report?.packages ?? 0;
    const kill = { number: this.kills.length + 1, lifeMs: life.ms, total, ...stage };
    this.kills.push(kill);
    this.#plan.onKill?.(kill);
  }

  #finished(file: string, data: string): void {
    this.#audits += 1;
    // Written by the job itself; maps have become objects, which only their text is compared of.
    const found = JSON.parse(readFileSync(file, 'utf8')) as AuditReport;
    this.#report = found;
    if (canonicalJson(comparable(found)) !== this.#expected)
      this.violations.push(`${unequal} of audit ${this.#audits}`);
    const { complaints, finished, repeated } = checkStepBook(readBook(this.#bookOf(data)));
    this.violations.push(...complaints);
    if (canonicalJson(finished) !== canonicalJson(found.steps))
      this.violations.push('the report counts other steps than ran');
    // A step may be cut off between its announcement and its first line in the book.
    if (found.repeated < repeated || found.repeated > this.kills.length * inFlightMax)
      this.violations.push(`the report counts ${found.repeated} repeats, the book ${repeated}`);
  }

  #bookOf(data: string): string {
    return join(this.#plan.directory, `${data}.book`);
  }
}

const unequal = 'the report is not that of the plain audit';

function readBook(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** What a job was doing when it was killed, by the book. */
function stageOf(book: string, isOpen: boolean): Pick<Kill, 'stage' | 'done'> {
  const lines = book.split('\n').filter(line => line !== '');
  const audit = Number(lines.findLast(line => line !== 'kill')?.split(' ')[1] ?? 0);
  const ofAudit = lines.filter(line => line.split(' ')[1] === String(audit));
  const done = new Set(ofAudit.filter(line => /^answered \S+ ./.test(line))).size;
  if (!isOpen) return { stage: 'starting', done };
  if (ofAudit.includes(`answered ${audit}`)) return { stage: 'handing over', done };
  if (lines.at(-1) === undefined || lines.at(-1) === 'kill') return { stage: 'taking up', done };
  return { stage: ofAudit.some(line => / read /.test(line)) ? 'examining' : 'listing', done };
}
