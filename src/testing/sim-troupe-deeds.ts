/**
 * What agents of the simulated world can be asked to do, as plain data: a deed is one turn, a job
 * one task. Callers draw them, agents carry them out and say so in an event, and checkers fold
 * those events with a model of their own.
 */
import type { Priority } from '../core/envelope.ts';

/**
 * The types of agents that a world has. Only mayflies are ever deleted; moths live in memory only,
 * and do no more than deeds.
 */
export type CellType = 'cell' | 'mayfly' | 'moth';

/** Who sent a deed, and where it stands in what that agent sent to this one in this lane. */
export interface DeedOrigin {
  readonly sender: string;
  readonly lane: Priority;
  /** Dense from 1, counted by the sender's own state. */
  readonly number: number;
}

/** One turn. */
export interface Deed {
  /** Names the command; the same in each repetition. */
  readonly command: string;
  /** Added to the total; a total below 0 is rejected. */
  readonly amount: number;
  /** How likely each attempt throws. */
  readonly throws?: number | undefined;
  /** How long the turn waits for the world outside before it changes anything. */
  readonly lingers?: number | undefined;
  /** A cell whose total is looked at first. */
  readonly looksAt?: string | undefined;
  readonly sends?: readonly Errand[] | undefined;
  readonly arms?: Alarm | undefined;
  /** The name of a timer to cancel. */
  readonly disarms?: string | undefined;
  readonly origin?: DeedOrigin | undefined;
  /** Makes records of different lengths. */
  readonly padding?: string | undefined;
}

/** A deed for another agent. */
export interface Errand {
  /** An address. */
  readonly to: string;
  readonly lane: Priority;
  readonly deed: Deed;
  /** Exactly once when left out. */
  readonly delivery?: 'at_least_once' | 'at_most_once' | undefined;
}

/** A timer to set. */
export interface Alarm {
  readonly id: string;
  readonly ms: number;
  /** Present when it repeats: every `ms`, or by a cron text. */
  readonly every?: 'span' | 'cron' | undefined;
  readonly throws?: number | undefined;
}

/** What a timer carries. */
export interface RingInput {
  readonly id: string;
  /** The command that set it. */
  readonly token: string;
  readonly throws?: number | undefined;
}

/** What a turn answers, and what a read shows. */
export interface Tally {
  readonly total: number;
  /** How many turns have changed the total or sent something since the agent began. */
  readonly turns: number;
}

/** What a moth answers. */
export interface MothTally extends Tally {
  /** Tells the lives of a moth apart: each begins with nothing. */
  readonly life: number;
}

/** What each turn writes into the history of its agent. */
export interface Did {
  readonly command: string;
  readonly action: 'act' | 'ring';
  readonly amount: number;
  readonly output: Tally;
  readonly origin?: DeedOrigin | undefined;
  readonly timer?: RingInput | undefined;
  /** The wall-clock time that the turn saw. */
  readonly at: number;
}

/** One part of a job. */
export type Part =
  | StepPart
  | { readonly kind: 'together'; readonly steps: readonly StepPart[] }
  | { readonly kind: 'update'; readonly deed: Deed }
  | { readonly kind: 'send'; readonly errand: Errand }
  | { readonly kind: 'call'; readonly to: string; readonly deed: Deed }
  | { readonly kind: 'look'; readonly to: string }
  | { readonly kind: 'sleep'; readonly ms: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'write' };

/** A step of a job. */
export interface StepPart {
  readonly kind: 'step';
  readonly name: string;
  readonly ms: number;
  readonly key?: string | undefined;
  readonly isPure?: boolean | undefined;
  /** How likely each attempt throws. */
  readonly throws?: number | undefined;
  readonly attempts?: number | undefined;
  readonly onUnknown?: 'retry' | 'fail' | 'ask' | 'find' | undefined;
}

/** One task. */
export interface Job {
  readonly command: string;
  readonly parts: readonly Part[];
}

/** A signal. */
export interface Nudge {
  readonly id: string;
}

/** A deed for a receiver, with its place in what the sender has sent there. */
export function withOrigin(deed: Deed, origin: DeedOrigin): Deed {
  return { ...deed, origin };
}

/** Whether an agent lives in memory only. */
export function isMoth(address: string): boolean {
  return address.startsWith('moth/');
}

/** The parts of an address. */
export function splitAddress(address: string): { readonly type: CellType; readonly key: string } {
  const slash = address.indexOf('/');
  // The world makes addresses of these two types only.
  return { type: address.slice(0, slash) as CellType, key: address.slice(slash + 1) };
}
