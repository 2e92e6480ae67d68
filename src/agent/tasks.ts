/**
 * The runs of one activation: begins them, resumes what an earlier life left unfinished, brings
 * them signals and time, and answers who waits for them.
 */
import { TroupeError } from '../core/errors.ts';
import type { SignalEntry, StoredReply } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import { type Run, type RunStart, runDueAt } from '../state/runs.ts';
import { actionOf } from './action.ts';
import { answer, answering } from './answer.ts';
import type { Waiter } from './commit.ts';
import { outcomeKept } from './failure.ts';
import type { Handler, Implementation } from './implementation.ts';
import type { MailboxItem } from './item.ts';
import type { AgentRuns, LiveAgent, RecordedAct, StepAnswer } from './live-agent.ts';
import { RunStreams } from './run-streams.ts';
import { TaskContext } from './task-context.ts';
import { TaskRun } from './task-run.ts';
import { addOp, type TurnContext } from './turn-context.ts';

/** All runs of one activation. */
export class Tasks implements AgentRuns {
  readonly streams: RunStreams = new RunStreams();
  readonly #agent: LiveAgent;
  readonly #implementation: Implementation;
  #active: Map<string, TaskRun> | undefined;
  #waiting: Map<string, MailboxItem[]> | undefined;
  #stuck: Map<string, TroupeError> | undefined;

  constructor(agent: LiveAgent, implementation: Implementation) {
    this.#agent = agent;
    this.#implementation = implementation;
  }

  /** Whether every run only waits: for a signal, for time, for a person, or for code that fits. */
  get areWaiting(): boolean {
    for (const run of this.#active?.values() ?? []) if (!run.isOver && !run.isWaiting) return false;
    return true;
  }

  /** Whether nobody here waits for the end of a run, or listens to one. */
  get areUnwatched(): boolean {
    return (this.#waiting === undefined || this.#waiting.size === 0) && !this.streams.hasListeners;
  }

  /** Adds the beginning of a run to the record of a turn. */
  begin(turn: TurnContext, action: string, input: unknown): undefined {
    const { host, contract, image } = this.#agent;
    this.#checkCount();
    const { timeoutMs } = actionOf(contract, action);
    const { caller, correlationId } = turn;
    const now = host.clock.now();
    const start: RunStart = {
      id: `${this.#agent.address}#${host.nextId()}`,
      action,
      input,
      state: image?.state,
      version: image?.version ?? 0,
      startedAt: now,
      correlationId,
      ...(timeoutMs === undefined ? {} : { timeoutAt: now + timeoutMs }),
      ...(caller === undefined ? {} : { caller }),
    };
    addOp(turn, ['run', start]);
  }

  /** The run that a record begins, if it does. */
  begunBy(ops: readonly Op[]): string | undefined {
    for (const op of ops) if (op[0] === 'run') return op[1].id;
    return undefined;
  }

  /** A record that begins a run was accepted. */
  accepted(runId: string, item: MailboxItem): void {
    if (item.envelope.wantsReply) {
      this.#wait(runId, item);
      item.begun?.();
    } else item.resolve({ value: runId, ...this.#agent.position });
    const run = this.#run(runId);
    if (run !== undefined && run.reply === undefined) this.#start(run, false);
  }

  /** Answers a caller with the end of a run, now or when it comes. */
  answer(runId: string, item: MailboxItem): void {
    const run = this.#run(runId);
    if (run === undefined) {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `${this.#agent.address} no longer knows run ${runId}`,
          outcome: 'unknown',
        }),
      );
    } else if (!item.envelope.wantsReply)
      this.#agent.committer?.whenAccepted(this.#begun(runId, item));
    else if (run.reply === undefined) {
      this.#wait(runId, item);
      this.#agent.committer?.whenAccepted({ accepted: () => item.begun?.(), failed: ignoreEnded });
    } else this.#agent.committer?.whenAccepted(answering(item, run.reply, this.#agent.host.epoch));
  }

  /** Resumes runs that are not active, and tells active ones the time. */
  wake(): void {
    const now = this.#agent.host.clock.now();
    for (const run of [...(this.#agent.image?.runs?.values() ?? [])]) {
      if (run.reply !== undefined) continue;
      const active = this.#active?.get(run.id);
      if (run.timeoutAt !== undefined && run.timeoutAt <= now) this.#timeOut(run);
      else if (active !== undefined) active.onTime(now);
    }
  }

  /** Starts again what an earlier life left unfinished. Called once. */
  resume(): void {
    for (const run of [...(this.#agent.image?.runs?.values() ?? [])]) {
      if (run.reply === undefined && this.#active?.has(run.id) !== true) this.#start(run, true);
    }
  }

  /** When a run next has to be told the time. */
  nextWake(): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const run of this.#agent.image?.runs?.values() ?? []) {
      const dueAt = runDueAt(run);
      wakeAt = Math.min(wakeAt, dueAt === 0 ? (run.timeoutAt ?? Number.POSITIVE_INFINITY) : dueAt);
    }
    return wakeAt;
  }

  signal(entry: SignalEntry): RecordedAct {
    for (const run of this.#active?.values() ?? []) {
      if (entry.runId !== undefined && entry.runId !== run.run.id) continue;
      const taken = run.takeSignal(entry);
      if (taken !== undefined) return taken;
    }
    const { image, contract, address } = this.#agent;
    if (entry.runId !== undefined && !this.#isOpen(entry.runId)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${address} has no run ${entry.runId} that goes on`,
      });
    }
    if ((image?.signals?.length ?? 0) >= contract.limits.signalsMax) {
      throw new TroupeError('OVERLOADED', {
        detail: `${address} keeps ${contract.limits.signalsMax} signals that no run waited for, as many as limits.signalsMax allows`,
        outcome: 'not-executed',
      });
    }
    return { ops: [['signal', entry]], delivered: () => undefined };
  }

  cancel(runId: string, reason: string): RecordedAct {
    const run = this.#run(runId);
    if (run === undefined || run.reply !== undefined) {
      return { ops: [], delivered: () => undefined };
    }
    const detail = `run ${runId} was cancelled: ${reason}`;
    return this.#end(run, new TroupeError('CANCELLED', { detail, outcome: 'executed' }));
  }

  resolve(asked: StepAnswer): RecordedAct {
    const { runId, step, key, resolution } = asked;
    const active = this.#active?.get(runId);
    if (active !== undefined && !active.isOver) return active.resolve(step, key, resolution);
    throw new TroupeError('INVALID_INPUT', {
      detail: `${this.#agent.address} has no run ${runId} that goes on`,
    });
  }

  /** The end of a run was accepted. */
  ended(runId: string, reply: StoredReply): void {
    this.#active?.get(runId)?.close();
    this.#active?.delete(runId);
    this.#stuck?.delete(runId);
    this.#agent.host.runningSteps.delete(runId);
    this.streams.changed(runId);
    const items = this.#waiting?.get(runId) ?? [];
    this.#waiting?.delete(runId);
    for (const item of items) answer(item, reply, this.#agent.host.epoch);
  }

  /** A run cannot go on with this code; it stays as it is for code that fits. */
  stuck(runId: string, error: TroupeError): void {
    this.#active?.get(runId)?.close();
    this.#stuck ??= new Map();
    this.#stuck.set(runId, error);
    this.#agent.logger.error('a run cannot go on with this code', {
      run: runId,
      error: error.message,
    });
    const items = this.#waiting?.get(runId) ?? [];
    this.#waiting?.delete(runId);
    for (const item of items) item.reject(error);
  }

  stuckBy(runId: string): TroupeError | undefined {
    return this.#stuck?.get(runId);
  }

  /** Lets go of all runs; a later life resumes them. */
  close(cause: TroupeError): void {
    for (const run of this.#active?.values() ?? []) run.close();
    for (const items of this.#waiting?.values() ?? []) for (const item of items) item.reject(cause);
    this.#active = undefined;
    this.#waiting = undefined;
    this.streams.close(cause);
  }

  delete(): RecordedAct {
    const detail = 'the agent was deleted';
    const error = new TroupeError('CANCELLED', { detail, outcome: 'executed' });
    // At once: what they ask for from now on would change the agent that comes after.
    for (const active of this.#active?.values() ?? []) active.abort(error);
    return { ops: [['delete']], delivered: () => this.#deleted() };
  }

  #deleted(): void {
    const known = [...(this.#active?.keys() ?? []), ...(this.#waiting?.keys() ?? [])];
    for (const runId of known) {
      const reply = this.#run(runId)?.reply;
      if (reply !== undefined) this.ended(runId, reply);
    }
  }

  /** Tells who only wanted a run to begin that it has, once that is accepted. */
  #begun(runId: string, item: MailboxItem): Waiter {
    return {
      accepted: () => item.resolve({ value: runId, ...this.#agent.position }),
      failed: (cause, isUnknown) => item.reject(outcomeKept(cause, isUnknown)),
    };
  }

  #timeOut(run: Run): void {
    const error = new TroupeError('DEADLINE_EXCEEDED', {
      detail: `run ${run.id} of ${this.#agent.address}.${run.action} took longer than its timeout`,
      outcome: 'executed',
    });
    const { ops, delivered } = this.#end(run, error);
    this.#agent.record(ops).then(delivered, ignoreEnded);
  }

  /** Ends a run with an error: nothing of it is recorded any more behind that. */
  #end(run: Run, error: TroupeError): RecordedAct {
    this.#active?.get(run.id)?.abort(error);
    const reply = ['error', error.toValue(), this.#agent.image?.version ?? 0] as const;
    return { ops: [['ended', run.id, reply]], delivered: () => this.ended(run.id, reply) };
  }

  /** Runs that have ended are kept for a while, and looked through only when there are many. */
  #checkCount(): void {
    const { image, contract, address } = this.#agent;
    const { runsMax } = contract.limits;
    const runs = image?.runs;
    if (runs === undefined || runs.size < runsMax) return;
    let count = 0;
    for (const { reply } of runs.values()) if (reply === undefined) count += 1;
    if (count < runsMax) return;
    throw new TroupeError('OVERLOADED', {
      detail: `${address} has ${count} tasks that have not ended, as many as limits.runsMax allows`,
      outcome: 'not-executed',
    });
  }

  #start(run: Run, isResumed: boolean): void {
    const handler = this.#handler(run);
    if (handler === undefined) return;
    const active = new TaskRun({
      agent: this.#agent,
      handler,
      run,
      isResumed,
      contextOf: task => new TaskContext(task),
    });
    this.#active ??= new Map();
    this.#active.set(run.id, active);
    active.start();
  }

  /** The behaviour of a run, if this code still has it. */
  #handler({ id, action }: Run): Handler | undefined {
    const { contract, address } = this.#agent;
    const isTask =
      Object.hasOwn(contract.actions, action) && contract.actions[action]?.kind === 'task';
    if (isTask) return this.#implementation.handlers[action];
    const detail = `${address} has a run of the task "${action}", which this code does not have`;
    this.stuck(id, new TroupeError('ACTION_NOT_DEFINED', { detail }));
    return undefined;
  }

  #wait(runId: string, item: MailboxItem): void {
    this.#waiting ??= new Map();
    const items = this.#waiting.get(runId);
    if (items === undefined) this.#waiting.set(runId, [item]);
    else items.push(item);
  }

  #isOpen(runId: string): boolean {
    const run = this.#run(runId);
    return run !== undefined && run.reply === undefined;
  }

  #run(runId: string): Run | undefined {
    return this.#agent.image?.runs?.get(runId);
  }
}

/** The activation has ended; its next life goes on. */
function ignoreEnded(): void {}
