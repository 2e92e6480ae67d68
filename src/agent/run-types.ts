/** Runs of tasks as people and programs see them from outside, as types. */
import type { ErrorValue } from '../core/errors.ts';

/** How a run stands: at work, waiting for a signal or for time, asking a person, or ended. */
export type RunStatus = 'running' | 'waiting' | 'asking' | 'done' | 'failed' | 'cancelled';

/** One effect of a run: a step, update, call, send, wait or sleep. */
export interface RunStep {
  readonly kind: 'step' | 'update' | 'send' | 'waitFor' | 'sleep' | 'call';
  readonly name: string;
  /** What tells it from others of its name: its `key`, or which occurrence it is, from 1. */
  readonly key: string;
  readonly status: 'running' | 'waiting' | 'asking' | 'done' | 'failed';
  readonly attempts: number;
  /** Present when done. */
  readonly value?: unknown;
  /** Present when failed. */
  readonly error?: ErrorValue | undefined;
  /** When a wait ends by itself. */
  readonly dueAt?: Date | undefined;
}

/** A run. */
export interface RunInfo {
  readonly id: string;
  /** The address of the agent. */
  readonly agent: string;
  readonly action: string;
  readonly status: RunStatus;
  readonly startedAt: Date;
  readonly endedAt?: Date | undefined;
  readonly steps: readonly RunStep[];
  /** Present when done. */
  readonly value?: unknown;
  /** Present when failed or cancelled, and while the run cannot go on with this code. */
  readonly error?: ErrorValue | undefined;
}

/** What a person says about a step that was cut off: what it brought, do it again, or give up. */
export type Resolution = { readonly value: unknown } | 'retry' | 'fail';

/** Which step is meant, where a name occurs more than once. */
export interface ResolveOptions {
  /** As in {@link RunStep.key}; the one that asks when left out. */
  readonly key?: string | undefined;
}

/** Runs of one agent. */
export interface RunsOfAgent {
  /** The runs that have not ended, and those that ended within the result window. */
  list(options?: { readonly status?: RunStatus | undefined }): Promise<readonly RunInfo[]>;
  /** Resolves with nothing when there is no such run, or none any more. */
  get(id: string): Promise<RunInfo | undefined>;
  /** Ends a run with `CANCELLED`; harmless when it has ended. */
  cancel(id: string, reason?: string): Promise<void>;
  /**
   * Answers a step that asks.
   *
   * @throws `INVALID_INPUT` when no such step of the run asks.
   */
  resolve(
    id: string,
    step: string,
    resolution: Resolution,
    options?: ResolveOptions,
  ): Promise<void>;
}
