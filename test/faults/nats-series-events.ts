/**
 * What a node under faults tells the process that watches it: one line of JSON for each event, in
 * the order in which they happened, written before anything else happens.
 */
import type { Outcome } from '../../src/core/errors.ts';

/** What is asked of an agent: a turn, a read, or a task. */
export type OperationKind = 'add' | 'count' | 'work';

/** Something that a caller wants. */
export interface Operation {
  /** The only one of this number, in all lives of a node. */
  readonly id: number;
  readonly kind: OperationKind;
  readonly agent: string;
  /** Whether it is asked for again under its key until it is answered. */
  readonly isKeyed: boolean;
}

/** Where an answer stands in the history of its agent, and what it says. */
export interface Answered {
  readonly epoch: number;
  readonly version: number;
  readonly value: number;
}

/** Why there was no answer. */
export interface Failed {
  readonly code: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

/** One line. */
export type SeriesEvent =
  | { readonly event: 'ready' }
  | ({ readonly event: 'asked'; readonly at: number } & Operation)
  | ({ readonly event: 'answered'; readonly at: number; readonly id: number } & Answered)
  | ({ readonly event: 'failed'; readonly at: number; readonly id: number } & Failed)
  /** What an agent holds in the end. */
  | { readonly event: 'holds'; readonly agent: string; readonly operations: readonly number[] };

/** What a node is told to do. */
export interface SeriesNodePlan {
  readonly cluster: { readonly servers: readonly string[]; readonly name: string };
  readonly data: string;
  readonly book: string;
  /** Which life of the node this is: numbers of operations begin with it. */
  readonly life: number;
  readonly counters: number;
  readonly jobs: number;
  /** How long a caller waits from an answer to its next question. */
  readonly pauseMs: number;
  /** What earlier lives left without an answer, under a key. */
  readonly open: readonly Operation[];
  /** Calls agents until it is told to finish, or only says what they hold. */
  readonly does: 'call' | 'tell';
}

/** Numbers of one life. */
export const operationsOfLife = 1_000_000;

/** The agents of a plan. */
export function agentsOf({ counters, jobs }: Pick<SeriesNodePlan, 'counters' | 'jobs'>) {
  return {
    counters: Array.from({ length: counters }, (_, index) => `counter/${index + 1}` as const),
    jobs: Array.from({ length: jobs }, (_, index) => `job/${index + 1}` as const),
  };
}
