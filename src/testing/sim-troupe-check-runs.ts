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
import type { TrueLog, TrueRecord } from './sim-troupe-truth.ts';

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
    ...checkRepeats(effects),
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
  const intents = groupBy(
    effects.filter(({ op }) => op[3].kind === 'step' && op[3].status === 'intent'),
    each => each.id,
  );
  return checkSteps({
    events: [...notebook.steps, ...recorded],
    attemptsMax: ({ step }) =>
      (notebook.attempts.get(step) ?? 1) * Math.max(1, intents.get(step)?.length ?? 1),
  });
}

/** A step is begun again only by another life of the process, or because a person said so. */
function checkRepeats(effects: readonly Recorded[]): Violation[] {
  const violations: Violation[] = [];
  const steps = effects.filter(({ op }) => op[3].kind === 'step');
  for (const [id, ofStep] of groupBy(steps, each => each.id)) {
    let by: string | undefined;
    for (const { op } of ofStep) {
      const effect = op[3];
      if (effect.status === 'asking' || effect.by === 'nobody') by = undefined;
      if (effect.status !== 'intent' || effect.by === undefined || effect.by === 'nobody') continue;
      if (effect.by === by) {
        const message = `${id} was begun twice by ${by}, though it never stopped running`;
        violations.push({ check: 'steps', message });
      }
      by = effect.by;
    }
  }
  return violations;
}

function checkSignals({ logs, diary }: TroupeHistory, effects: readonly Recorded[]): Violation[] {
  const violations: Violation[] = [];
  const known = new Set<string>();
  const taken = new Set<string>();
  for (const { op, log } of effects) {
    const { kind, status, outcome } = op[3];
    if (kind !== 'waitFor' || status !== 'done' || outcome?.[0] !== 'ok') continue;
    const nudge = outcome[1] as Nudge | null;
    if (nudge === null) continue;
    if (taken.has(nudge.id)) {
      violations.push({ check: 'signals', message: `${log.agent}: ${nudge.id} was given twice` });
    }
    taken.add(nudge.id);
  }
  for (const { records } of logs) {
    for (const { record } of records) {
      for (const op of record.ops) if (op[0] === 'signal') known.add((op[1].data as Nudge).id);
    }
  }
  for (const id of diary.signalsTaken) {
    if (known.has(id) || taken.has(id)) continue;
    violations.push({ check: 'signals', message: `${id} was confirmed, but no log knows it` });
  }
  return violations;
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

/** What a job answered must be what its log recorded as outcomes, and the same each time. */
function checkAnswers({ diary, logs }: TroupeHistory, effects: readonly Recorded[]): Violation[] {
  const violations: Violation[] = [];
  const outcomes = new Set<string>();
  for (const { op } of effects) {
    const { kind, outcome } = op[3];
    if (kind === 'step' && outcome?.[0] === 'ok') outcomes.add(String(outcome[1]));
  }
  const runs = commandsOfRuns(logs);
  for (const { command, results } of diary.jobAnswers) {
    if ((runs.get(command) ?? 0) > 1) {
      violations.push({
        check: 'runs',
        message: `${command} was begun ${runs.get(command)} times`,
      });
    }
    for (const result of results) {
      if (!/^(fetch|think|write) in [^ ]+: \w+$/.test(result) || outcomes.has(result)) continue;
      violations.push({ check: 'runs', message: `${command} answered ${result}, never recorded` });
    }
  }
  return violations;
}

function commandsOfRuns(logs: readonly TrueLog[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { records } of logs) {
    for (const { record } of records) {
      for (const op of record.ops) {
        if (op[0] !== 'run') continue;
        const { command } = op[1].input as Job;
        counts.set(command, (counts.get(command) ?? 0) + 1);
      }
    }
  }
  return counts;
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
