/**
 * Tasks: steps run and are repeated only as promised, what a job answered is what its log recorded,
 * signals reach one wait each, streams have no gap, and every run ends.
 */
import type { Op } from '../state/record.ts';
import { checkSteps, type StepEvent } from './check-steps.ts';
import { groupBy, type Violation } from './history.ts';
import type { Job, Nudge } from './sim-troupe-deeds.ts';
import type { TroupeHistory } from './sim-troupe-history.ts';
import { runOf } from './sim-troupe-notes.ts';
import { opsOf, type TrueLog, type TrueRecord } from './sim-troupe-truth.ts';

type EffectOp = Extract<Op, readonly ['effect', ...unknown[]]>;

interface Recorded {
  readonly log: TrueLog;
  readonly at: TrueRecord;
  readonly op: EffectOp;
  /** The idempotency key of the effect. */
  readonly id: string;
}

/** Checks all tasks of a world. */
export function checkRuns(history: TroupeHistory): Violation[] {
  const effects = history.logs.flatMap(effectsOf);
  return [
    ...checkAllSteps(history, effects),
    ...checkSignals(history, effects),
    ...checkStreams(history),
    ...checkAnswers(history, effects),
    ...history.logs.flatMap(checkEnds),
  ];
}

function effectsOf(log: TrueLog): Recorded[] {
  return log.records.flatMap(at =>
    at.record.ops
      .filter(op => op[0] === 'effect')
      .map(op => ({ log, at, op, id: `${op[1]} ${op[2]}` })),
  );
}

function writerOf({ at }: Recorded): string {
  return at.record.id.slice(0, at.record.id.indexOf('-'));
}

function checkAllSteps({ notebook }: TroupeHistory, effects: readonly Recorded[]): Violation[] {
  const begun = new Set(
    notebook.steps.filter(each => each.kind === 'started').map(each => each.step),
  );
  const recorded: StepEvent[] = effects
    // What a policy or a person said in place of the step is no outcome of its body.
    .filter(({ op, id }) => op[3].kind === 'step' && op[3].status === 'done' && begun.has(id))
    .map(each => ({
      kind: 'recorded',
      run: runOf(each.id),
      step: each.id,
      order: each.at.order,
      incarnation: writerOf(each),
    }));
  // Within one life a step is repeated only because a person said so.
  const asked = groupBy(
    effects.filter(({ op }) => op[3].status === 'asking' || op[3].by === 'nobody'),
    each => each.id,
  );
  return checkSteps({
    events: [...notebook.steps, ...recorded],
    attemptsMax: ({ step }) =>
      (notebook.attempts.get(step) ?? 1) * (1 + (asked.get(step)?.length ?? 0)),
  });
}

/** Each signal is given to one wait at most, and one that was confirmed is known to a log. */
function checkSignals({ logs, diary }: TroupeHistory, effects: readonly Recorded[]): Violation[] {
  const violations: Violation[] = [];
  const taken = new Set<string>();
  for (const id of effects.map(({ op }) => nudgeOf(op)).filter(each => each !== undefined)) {
    if (taken.has(id)) violations.push({ check: 'signals', message: `${id} was given twice` });
    taken.add(id);
  }
  // Signals of this world are nudges.
  const known = new Set(opsOf(logs, 'signal').map(({ op }) => (op[1].data as Nudge).id));
  for (const id of diary.signalsTaken) {
    if (known.has(id) || taken.has(id)) continue;
    violations.push({ check: 'signals', message: `${id} was confirmed, but no log knows it` });
  }
  return violations;
}

/** The signal that ended a wait, if one did. */
function nudgeOf([, , , { kind, status, outcome }]: EffectOp): string | undefined {
  if (kind !== 'waitFor' || status !== 'done' || outcome?.[0] !== 'ok') return undefined;
  return (outcome[1] as Nudge | null)?.id;
}

/** Chunks name their place in the job: a reader sees each place once, in order. */
function checkStreams({ diary }: TroupeHistory): Violation[] {
  const violations: Violation[] = [];
  for (const [command, chunks] of diary.chunks) {
    const places = chunks.map(chunk => Number(/\/(\d+) after/.exec(chunk)?.[1]));
    for (const [at, place] of places.entries()) {
      if (at === 0 || place > (places[at - 1] ?? 0)) continue;
      const message = `${command}: chunk ${chunks[at]} came after ${chunks[at - 1]}`;
      violations.push({ check: 'streams', message });
    }
  }
  return violations;
}

/** What a job answered must be what its log recorded as outcomes, and one run for each key. */
function checkAnswers({ diary, logs }: TroupeHistory, effects: readonly Recorded[]): Violation[] {
  const outcomes = new Set(
    effects
      .map(({ op }) => op[3])
      .filter(({ kind, outcome }) => kind === 'step' && outcome?.[0] === 'ok')
      .map(({ outcome }) => String(outcome?.[1])),
  );
  // Tasks of this world are jobs.
  const begun = groupBy(opsOf(logs, 'run'), ({ op }) => (op[1].input as Job).command);
  const twice = [...begun].filter(([, runs]) => runs.length > 1);
  const unknown = diary.jobAnswers.flatMap(({ command, results }) =>
    results
      .filter(isOfStep)
      .filter(each => !outcomes.has(each))
      .map(each => ({ command, each })),
  );
  return [
    ...twice.map(([command, runs]) => `${command} was begun ${runs.length} times`),
    ...unknown.map(({ command, each }) => `${command} answered ${each}, never recorded`),
  ].map(message => ({ check: 'runs', message }));
}

function isOfStep(result: string): boolean {
  return /^(fetch|think|write) in [^ ]+: \w+$/.test(result);
}

function checkEnds({ agent, records }: TrueLog): Violation[] {
  const open = new Map<string, string>();
  for (const { record } of records) {
    for (const op of record.ops) {
      if (op[0] === 'run') open.set(op[1].id, (op[1].input as Job).command);
      else if (op[0] === 'ended') open.delete(op[1]);
      else if (op[0] === 'delete') open.clear();
    }
  }
  return [...open].map(([id, command]) => ({
    check: 'runs',
    message: `${agent}: run ${id} of ${command} has not ended`,
  }));
}
