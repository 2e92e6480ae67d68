/**
 * Timers, from the log itself: each ring finds its timer set, by the command it names, and due;
 * none that was due long ago is still waiting at the end.
 */
import type { TimerEntry } from '../state/entries.ts';
import type { Violation } from './history.ts';
import type { RingInput } from './sim-troupe-deeds.ts';
import type { TrueLog, TrueRecord } from './sim-troupe-truth.ts';

/**
 * How late a timer may be once everything is well: attempts that throw are repeated after pauses.
 */
const lateMsMax = 120_000;

/** Checks the timers of all agents; `wallMs` is the time on their clock at the end. */
export function checkRings(logs: readonly TrueLog[], wallMs: number): Violation[] {
  return logs.flatMap(log => checkAgent(log, wallMs));
}

function checkAgent({ agent, records }: TrueLog, wallMs: number): Violation[] {
  const violations: Violation[] = [];
  const report = (message: string) => {
    violations.push({ check: 'timers', message: `${agent}: ${message}` });
  };
  const timers = new Map<string, TimerEntry>();
  for (const record of records) {
    const wrong = judgeRing(record, timers);
    if (wrong !== undefined) report(wrong);
    apply(record, timers);
  }
  for (const [id, { dueAt, input }] of timers) {
    if (dueAt + lateMsMax >= wallMs) continue;
    report(`timer ${id} of ${tokenOf(input)} was due at ${dueAt} and waits at ${wallMs}`);
  }
  return violations;
}

function judgeRing({ did, record }: TrueRecord, timers: ReadonlyMap<string, TimerEntry>) {
  // A ring that was given up and sent again comes as a message.
  const isMessage = record.ops.some(op => op[0] === 'consume' || op[0] === 'uninbox');
  if (did?.timer === undefined || isMessage) return undefined;
  const { id, token } = did.timer;
  const place = `timer ${id} of ${token} rang in version ${record.version}`;
  const entry = timers.get(id);
  if (entry === undefined) return `${place}, but was not set`;
  if (tokenOf(entry.input) !== token) return `${place}, but ${tokenOf(entry.input)} replaced it`;
  if (did.at < entry.dueAt) return `${place} at ${did.at}, but was due at ${entry.dueAt}`;
  return undefined;
}

function apply({ record }: TrueRecord, timers: Map<string, TimerEntry>): void {
  for (const op of record.ops) {
    if (op[0] === 'timer') timers.set(op[1], op[2]);
    else if (op[0] === 'untimer') timers.delete(op[1]);
    else if (op[0] === 'delete') timers.clear();
  }
}

/** Timers of this world carry the command that set them. */
function tokenOf(input: unknown): string {
  return (input as RingInput).token;
}
