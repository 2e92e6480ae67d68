/**
 * The runs of one activation: begins them, resumes what an earlier life left unfinished, brings
 * them signals and time, and answers who waits for them.
 */
import { TroupeError } from '../core/errors.ts';
import type { Op, SignalEntry, StoredReply } from '../state/record.ts';
import { type Run, type RunStart, runDueAt } from '../state/runs.ts';
import { actionOf } from './action.ts';
import type { Activation } from './activation.ts';
import { answer, answering } from './answer.ts';
import type { Implementation } from './implementation.ts';
import type { MailboxItem } from './item.ts';
import { RunStreams } from './run-streams.ts';
import type { Resolution } from './run-types.ts';
import { TaskRun } from './task-run.ts';
import { addOp, type TurnContext } from './turn-context.ts';

/** A person's answer about a step that asks. */
export interface StepAnswer {
  readonly runId: string;
  readonly step: string;
  /** Which of the steps of that name, where there are several. */
  readonly key?: string | undefined;
  readonly resolution: Resolution;
}

/** All runs of one activation. */
export class Tasks {
  readonly streams = new RunStreams();
  readonly #activation: Activation;
  readonly #implementation: Implementation;
  #active: Map<string, TaskRun> | undefined;
  #waiting: Map<string, MailboxItem[]> | undefined;

  constructor(activation: Activation, implementation: Implementation) {
    this.#activation = activation;
    this.#implementation = implementation;
  }

  /** Whether every run only waits: for a signal, for time, or for a person, and nobody listens. */
  get areQuiet(): boolean {
    if (this.#waiting !== undefined && this.#waiting.size > 0) return false;
    for (const run of this.#active?.values() ?? []) if (!run.isWaiting) return false;
    return !this.streams.hasListeners;
  }

  /** Adds the beginning of a run to the record of a turn. */
  begin(turn: TurnContext, action: string, input: unknown): undefined {
    const { host, contract, image } = this.#activation;
    const { timeoutMs } = actionOf(contract, action);
    const { caller, correlationId } = turn;
    const now = host.clock.now();
    const start: RunStart = {
      id: `${this.#activation.address}#${host.nextId()}`,
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
    if (item.envelope.wantsReply) this.#wait(runId, item);
    else item.resolve({ value: runId, ...this.#activation.position });
    const run = this.#run(runId);
    if (run !== undefined && run.reply === undefined) this.#start(run, false);
  }

  /** Answers a caller with the end of a run, now or when it comes. */
  answer(runId: string, item: MailboxItem): void {
    const run = this.#run(runId);
    if (run === undefined) {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `${this.#activation.address} no longer knows run ${runId}`,
          outcome: 'unknown',
        }),
      );
    } else if (!item.envelope.wantsReply)
      item.resolve({ value: runId, ...this.#activation.position });
    else if (run.reply === undefined) this.#wait(runId, item);
    else
      this.#activation.committer?.whenAccepted(
        answering(item, run.reply, this.#activation.host.epoch),
      );
  }

  /** Resumes runs that are not active, and tells active ones the time. */
  wake(): void {
    const now = this.#activation.host.clock.now();
    for (const run of this.#activation.image?.runs?.values() ?? []) {
      if (run.reply !== undefined) continue;
      const active = this.#active?.get(run.id);
      if (run.timeoutAt !== undefined && run.timeoutAt <= now) this.#timeOut(run);
      else if (active !== undefined) active.onTime(now);
    }
  }

  /** Starts again what an earlier life left unfinished. Called once. */
  resume(): void {
    for (const run of [...(this.#activation.image?.runs?.values() ?? [])]) {
      if (run.reply === undefined && this.#active?.has(run.id) !== true) this.#start(run, true);
    }
  }

  /** When a run next has to be told the time. */
  nextWake(): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const run of this.#activation.image?.runs?.values() ?? []) {
      const dueAt = runDueAt(run);
      wakeAt = Math.min(wakeAt, dueAt === 0 ? (run.timeoutAt ?? Number.POSITIVE_INFINITY) : dueAt);
    }
    return wakeAt;
  }

  /** Operations that bring a signal: to the run that waits for it longest, or kept for later. */
  signalOps(entry: SignalEntry): { readonly ops: Op[]; readonly delivered: () => void } {
    for (const run of this.#active?.values() ?? []) {
      if (entry.runId !== undefined && entry.runId !== run.run.id) continue;
      const taken = run.takeSignal(entry);
      if (taken !== undefined) return taken;
    }
    const { image, contract, address } = this.#activation;
    if ((image?.signals?.length ?? 0) >= contract.limits.signalsMax) {
      throw new TroupeError('QUOTA_EXCEEDED', {
        detail: `${address} keeps ${contract.limits.signalsMax} signals that no run waited for (limits.signalsMax)`,
        outcome: 'not-executed',
      });
    }
    return { ops: [['signal', entry]], delivered: () => undefined };
  }

  /** Ends a run from outside. */
  cancel(runId: string, reason: string): Op[] {
    const run = this.#run(runId);
    if (run === undefined || run.reply !== undefined) return [];
    return this.#endOps(
      run,
      new TroupeError('CANCELLED', {
        detail: `run ${runId} was cancelled: ${reason}`,
        outcome: 'executed',
      }),
    );
  }

  /** What a person says of a step that was cut off. */
  resolve(asked: StepAnswer): { readonly ops: Op[]; readonly delivered: () => void } {
    const { runId, step, key, resolution } = asked;
    const active = this.#active?.get(runId);
    if (active !== undefined) return active.resolve(step, key, resolution);
    throw new TroupeError('INVALID_INPUT', {
      detail: `${this.#activation.address} has no run ${runId} that goes on`,
    });
  }

  /** The end of a run was accepted. */
  ended(runId: string, reply: StoredReply): void {
    this.#active?.get(runId)?.close();
    this.#active?.delete(runId);
    this.streams.changed(runId);
    const items = this.#waiting?.get(runId) ?? [];
    this.#waiting?.delete(runId);
    for (const item of items) answer(item, reply, this.#activation.host.epoch);
  }

  /** A run cannot go on with this code; it stays as it is for code that fits. */
  stuck(runId: string, error: TroupeError): void {
    this.#active?.get(runId)?.close();
    this.#activation.logger.error('a run cannot go on with this code', {
      run: runId,
      error: error.message,
    });
    const items = this.#waiting?.get(runId) ?? [];
    this.#waiting?.delete(runId);
    for (const item of items) item.reject(error);
  }

  /** Lets go of all runs; a later life resumes them. */
  close(cause: TroupeError): void {
    for (const run of this.#active?.values() ?? []) run.close();
    for (const items of this.#waiting?.values() ?? []) for (const item of items) item.reject(cause);
    this.#active = undefined;
    this.#waiting = undefined;
    this.streams.close(cause);
  }

  /** The agent is being deleted: its runs end. */
  deleted(): void {
    for (const run of [...(this.#active?.keys() ?? [])]) {
      const reply = this.#run(run)?.reply;
      if (reply !== undefined) this.ended(run, reply);
    }
  }

  #timeOut(run: Run): void {
    const error = new TroupeError('DEADLINE_EXCEEDED', {
      detail: `run ${run.id} of ${this.#activation.address}.${run.action} took longer than its timeout`,
      outcome: 'executed',
    });
    const ops = this.#endOps(run, error);
    this.#activation.record(ops).then(() => this.finish(ops), ignoreEnded);
  }

  /** Tells the waiting callers about runs that a record ended. */
  finish(ops: readonly Op[]): void {
    for (const op of ops) if (op[0] === 'ended') this.ended(op[1], op[2]);
  }

  #endOps(run: Run, error: TroupeError): Op[] {
    this.#active?.get(run.id)?.abort(error);
    return [['ended', run.id, ['error', error.toValue(), this.#activation.image?.version ?? 0]]];
  }

  #start(run: Run, isResumed: boolean): void {
    const active = new TaskRun({
      activation: this.#activation,
      implementation: this.#implementation,
      run,
      isResumed,
    });
    this.#active ??= new Map();
    this.#active.set(run.id, active);
    active.start();
  }

  #wait(runId: string, item: MailboxItem): void {
    this.#waiting ??= new Map();
    const items = this.#waiting.get(runId);
    if (items === undefined) this.#waiting.set(runId, [item]);
    else items.push(item);
  }

  #run(runId: string): Run | undefined {
    return this.#activation.image?.runs?.get(runId);
  }
}

/** The activation has ended; its next life goes on. */
function ignoreEnded(): void {}
