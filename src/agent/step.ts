/**
 * A step: announced before it starts, recorded after it ends. A step whose outcome is recorded
 * never runs again; what a step is that was cut off, its policy says.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { failureOf } from './failure.ts';
import { type Claim, type EffectOutcome, never, stepUnknown, type TaskRun } from './task-run.ts';

/** What the body of a step gets. */
export interface StepCall {
  /** The same each time this step runs: give it to the outside service. */
  readonly idempotencyKey: string;
  /** Above 1 when the step was cut off before. */
  readonly attempt: number;
  readonly abortSignal: AbortSignal;
}

/** The body of a step. */
export type StepBody = (call: StepCall) => unknown;

type Finding = { readonly value: unknown } | 'retry' | 'fail' | 'ask';

/** Options of a step. */
export interface StepOptions {
  readonly key?: string | undefined;
  readonly pure?: boolean | undefined;
  readonly retry?:
    | { readonly attempts: number; readonly backoff?: Duration | undefined }
    | undefined;
  readonly onUnknown?:
    | 'retry'
    | 'fail'
    | 'ask'
    | ((call: StepCall) => Finding | Promise<Finding>)
    | undefined;
}

/** A step that a task asks for. */
export interface StepRequest {
  readonly name: string;
  readonly input: unknown;
  readonly body: StepBody;
  readonly options: StepOptions;
}

/** Runs a step, or tells what is recorded of it. */
export async function runStep(task: TaskRun, request: StepRequest): Promise<unknown> {
  const { name, input, options } = request;
  const claim = task.claim('step', name, input, options.key);
  const { effect } = claim;
  if (effect?.status === 'done') {
    task.activation.host.observeStep(task.activation.contract.type, name, 'resumed');
    return task.tell(effect.outcome, effect.at);
  }
  task.enter(claim, options.key);
  try {
    const outcome =
      effect === undefined
        ? await begin(task, claim, request)
        : await afterCut(task, claim, request);
    return task.conclude(claim, outcome);
  } finally {
    task.leave(claim, options.key);
  }
}

async function begin(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  if (request.options.pure !== true) await task.announce(claim, 1);
  return perform(task, claim, request);
}

/** A step that was announced and has no outcome. */
async function afterCut(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  const going = task.activation.host.runningSteps.get(stepId(task, claim));
  if (going !== undefined) return (await going) as EffectOutcome;
  const finding = claim.effect?.status === 'asking' ? 'ask' : await find(task, claim, request);
  if (finding === 'fail') return ['error', stepUnknown(task, claim.name).toValue()];
  if (finding === 'ask') return ask(task, claim, request);
  if (finding === 'retry') return repeat(task, claim, request);
  return ['ok', copyValue(finding.value, `what onUnknown of step "${claim.name}" found`)];
}

async function find(task: TaskRun, claim: Claim, { options }: StepRequest): Promise<Finding> {
  const policy = options.onUnknown ?? 'retry';
  if (typeof policy === 'string') return policy;
  try {
    return await policy(callOf(task, claim));
  } catch (error) {
    throw failureOf(error, `onUnknown of step "${claim.name}"`);
  }
}

async function ask(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  task.pauseBegins();
  const answer = task.wait(claim, undefined, undefined);
  if (claim.effect?.status !== 'asking')
    await task.commit([task.effectOp(claim, { status: 'asking' })]);
  task.activation.logger.warn('a step was cut off and a person has to say what became of it', {
    run: task.run.id,
    step: claim.name,
    remedy: `troupe runs resolve ${task.run.id} ${claim.name} --value JSON | --retry | --fail`,
  });
  const outcome = await answer;
  task.pauseEnds();
  return outcome === 'retry' ? repeat(task, claim, request) : outcome;
}

async function repeat(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  task.activation.host.observeStep(task.activation.contract.type, claim.name, 'repeated');
  await task.announce(claim, (claim.effect?.attempts ?? 0) + 1);
  return perform(task, claim, request);
}

/** Runs the body until it succeeds or its attempts are used up. The process keeps what goes on. */
async function perform(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  const { host } = task.activation;
  const id = stepId(task, claim);
  const outcome = attemptAll(task, claim, request);
  host.runningSteps.set(id, outcome);
  try {
    const ended = await outcome;
    host.faultPoint('task.step-ended', 'before-durable');
    host.observeStep(task.activation.contract.type, claim.name, 'finished');
    return task.isOver ? never() : ended;
  } finally {
    if (!task.isOver) host.runningSteps.delete(id);
  }
}

async function attemptAll(
  task: TaskRun,
  claim: Claim,
  request: StepRequest,
): Promise<EffectOutcome> {
  const { attempts = 1, backoff = '1s' } = request.options.retry ?? {};
  const backoffMs = durationMs(backoff, `the backoff of step "${claim.name}"`);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(task, claim, request.body);
    if (outcome[0] === 'ok' || attempt >= attempts || task.abortSignal.aborted) return outcome;
    await new Promise<void>(resolve => {
      task.activation.host.clock.setTimer(backoffMs * 2 ** (attempt - 1), resolve);
    });
  }
}

async function attemptOnce(task: TaskRun, claim: Claim, body: StepBody): Promise<EffectOutcome> {
  const place = `step "${claim.name}" of ${task.activation.address}.${task.run.action}`;
  try {
    return ['ok', copyValue(await body(callOf(task, claim)), `${place}: result`)];
  } catch (error) {
    const failure = TroupeError.is(error) ? error : failureOf(error, place);
    return ['error', failure.toValue()];
  }
}

function callOf(task: TaskRun, claim: Claim): StepCall {
  return {
    idempotencyKey: stepId(task, claim),
    attempt: (claim.effect?.attempts ?? 0) + 1,
    abortSignal: task.abortSignal,
  };
}

function stepId(task: TaskRun, claim: Claim): string {
  return `${task.run.id} ${claim.identity}`;
}
