/**
 * A step: announced before it starts, recorded after it ends. A step whose outcome is recorded
 * never runs again; what a step is that was cut off, its policy says.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { checkNames } from './call-options.ts';
import type { Claim, EffectOutcome } from './effects.ts';
import { failureOf } from './failure.ts';
import { copyPayload } from './payload.ts';
import { toBeRepeated } from './run-waits.ts';
import { never, stepUnknown, type TaskRun } from './task-run.ts';

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
  checkStep(task, request);
  const claim = task.claim({ kind: 'step', name, input, key: options.key });
  const { effect } = claim;
  if (effect?.status === 'done') {
    task.agent.host.observeStep(task.agent.contract.type, name, 'resumed');
    return task.tell(effect.outcome, effect.at);
  }
  task.enter(claim);
  try {
    const outcome =
      effect === undefined
        ? await begin(task, claim, request)
        : await afterCut(task, claim, request);
    return task.conclude(claim, outcome, () => forget(task, claim));
  } finally {
    task.leave(claim);
  }
}

/** A mistake here must not become the outcome of the step. */
function checkStep(task: TaskRun, { name, body, options }: StepRequest): void {
  const { onUnknown } = options;
  const isPolicy = onUnknown === undefined || typeof onUnknown === 'function';
  const place = `${task.place}: ctx.step(${previewOf(name)}, …)`;
  if (typeof name !== 'string' || name === '') {
    throw mistaken(`${place} needs a name, which tells it from other steps`);
  }
  if (typeof body !== 'function') {
    throw mistaken(`${place} needs its input second and a function third`);
  }
  checkNames(options, stepNames, place);
  if (options.retry !== undefined) checkNames(options.retry, retryNames, `${place}: retry`);
  if (!isPolicy && !policies.has(onUnknown)) {
    throw mistaken(
      `${place}: onUnknown is ${previewOf(onUnknown)}; it must be "retry", "fail", "ask" or a function`,
    );
  }
}

const stepNames = ['key', 'pure', 'retry', 'onUnknown'];
const retryNames = ['attempts', 'backoff'];
const policies: ReadonlySet<unknown> = new Set(['retry', 'fail', 'ask']);

function mistaken(detail: string): TroupeError {
  return new TroupeError('INVALID_INPUT', { detail });
}

async function begin(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  // What only computes needs no intent, but may not start before what it stands on is recorded.
  if (request.options.pure === true) await task.commit([]);
  else await task.announce(claim, 1);
  return perform(task, claim, request);
}

/** A step that was announced and has no outcome. */
async function afterCut(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  const steps = task.agent.host.runningSteps.get(task.run.id);
  const going = steps?.get(claim.identity);
  if (going !== undefined) {
    const outcome = await going;
    return task.isOver ? never() : (outcome as EffectOutcome);
  }
  const finding = await find(task, claim, request);
  if (finding === 'fail') return ['error', stepUnknown(task, claim.name).toValue()];
  if (finding === 'ask') return ask(task, claim, request);
  if (finding === 'retry') return repeat(task, claim, request);
  const place = `what onUnknown of step "${claim.name}" found`;
  return ['ok', copyPayload(finding.value, task.agent.contract, place)];
}

async function find(task: TaskRun, claim: Claim, { options }: StepRequest): Promise<Finding> {
  if (claim.effect?.status === 'asking') return 'ask';
  if (claim.effect?.by === toBeRepeated) return 'retry';
  const policy = options.onUnknown ?? 'retry';
  if (typeof policy === 'string') return policy;
  try {
    return await policy(callOf(task, claim));
  } catch (error) {
    throw failureOf(error, `onUnknown of step "${claim.name}"`);
  }
}

async function ask(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  task.agent.logger.warn('a step was cut off and a person has to say what became of it', {
    run: task.run.id,
    step: claim.name,
    remedy: `troupe runs resolve ${task.run.id} ${claim.name} --value JSON | --retry | --fail`,
  });
  const end = await task.ask(claim);
  return end === 'retry' ? repeat(task, claim, request) : end.outcome;
}

async function repeat(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  const { host, contract } = task.agent;
  host.observeStep(contract.type, claim.name, 'repeated');
  await task.announce(claim, (claim.effect?.attempts ?? 0) + 1);
  return perform(task, claim, request);
}

/** Runs the body until it succeeds or its attempts are used up. The process keeps what goes on. */
async function perform(task: TaskRun, claim: Claim, request: StepRequest): Promise<EffectOutcome> {
  const { host, contract } = task.agent;
  const outcome = attemptAll(task, claim, request);
  const steps = host.runningSteps.get(task.run.id) ?? new Map<string, Promise<unknown>>();
  host.runningSteps.set(task.run.id, steps.set(claim.identity, outcome));
  const ended = await outcome;
  host.faultPoint('task.step-ended', 'before-durable');
  // The next life of the run, if there is one, finds the outcome where it was left.
  if (task.isOver) return never();
  host.observeStep(contract.type, claim.name, 'finished');
  return ended;
}

/** The outcome is recorded: until then, a life of the run that begins anew finds it here. */
function forget(task: TaskRun, claim: Claim): void {
  task.agent.host.runningSteps.get(task.run.id)?.delete(claim.identity);
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
      task.agent.host.clock.setTimer(backoffMs * 2 ** (attempt - 1), resolve);
    });
  }
}

/** Never rejects: a throw is an outcome. */
async function attemptOnce(task: TaskRun, claim: Claim, body: StepBody): Promise<EffectOutcome> {
  const place = `step "${claim.name}" of ${task.place}`;
  try {
    const value = await body(callOf(task, claim));
    return ['ok', copyPayload(value, task.agent.contract, `${place}: result`)];
  } catch (error) {
    const failure = TroupeError.is(error) ? error : failureOf(error, place);
    return ['error', failure.toValue()];
  }
}

function callOf(task: TaskRun, claim: Claim): StepCall {
  return {
    idempotencyKey: `${task.run.id} ${claim.identity}`,
    attempt: (claim.effect?.attempts ?? 0) + 1,
    abortSignal: task.abortSignal,
  };
}
