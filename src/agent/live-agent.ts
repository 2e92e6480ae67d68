/**
 * An activation as its own parts see it: timers, outbox, tasks and administrative acts. They know
 * this interface and not the whole, so that nothing goes in a circle.
 */
import type { Position } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { AgentImage } from '../state/agent-image.ts';
import type { SignalEntry, StoredReply } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import type { Committer } from './commit.ts';
import type { AgentHost } from './host.ts';
import type { MailboxItem } from './item.ts';

import type { RunStreams } from './run-streams.ts';
import type { Resolution } from './run-types.ts';
import type { SendCause } from './seal.ts';
import type { Sending } from './sending.ts';
import type { TurnAgent, TurnContext } from './turn-context.ts';

/** A person's answer about a step that asks. */
export interface StepAnswer {
  readonly runId: string;
  readonly step: string;
  /** Which of the steps of that name, where there are several. */
  readonly key?: string | undefined;
  readonly resolution: Resolution;
}

/** Operations for the record of a turn, and what to do when that is accepted. */
export interface RecordedAct {
  readonly ops: readonly Op[];
  delivered(): void;
}

/** The runs of an activation, as its other parts use them. */
export interface AgentRuns {
  readonly streams: RunStreams;
  /** Adds the beginning of a run to the record of a turn. */
  begin(turn: TurnContext, action: string, input: unknown): undefined;
  /** Answers a caller with the end of a run, now or when it comes. */
  answer(runId: string, item: MailboxItem): void;
  /** Brings a signal: to the run that waits for it longest, or kept for later. */
  signal(entry: SignalEntry): RecordedAct;
  /** Ends a run from outside; without operations when there is nothing to end. */
  cancel(runId: string, reason: string): RecordedAct;
  /** What a person says of a step that was cut off. */
  resolve(asked: StepAnswer): RecordedAct;
  /** When a run next has to be told the time. */
  nextWake(): number;
  /** Ends all runs, because their agent is deleted. */
  delete(): RecordedAct;
  /** The end of a run was accepted. */
  ended(runId: string, reply: StoredReply): void;
  /** A run cannot go on with this code; it stays as it is for code that fits. */
  stuck(runId: string, error: TroupeError): void;
  /** Why a run cannot go on with this code, if it cannot. */
  stuckBy(runId: string): TroupeError | undefined;
}

/** What the parts of an activation know of it. */
export interface LiveAgent extends TurnAgent {
  readonly host: AgentHost;
  /** Present for agents with a log. */
  readonly committer: Committer | undefined;
  /** The head of the agent's history. Only for agents with a log. */
  readonly image: AgentImage | undefined;
  /** Where the accepted history ends. */
  readonly position: Position;
  /** The state that reads may see. */
  readonly acceptedState: unknown;
  readonly isEnded: boolean;
  readonly tasks: AgentRuns;
  /** Makes a record that is no turn; resolves when it is accepted. */
  record(ops: readonly Op[]): Promise<void>;
  /** Runs an action inside a turn that is going on. */
  perform(turn: TurnContext, action: string, given: unknown): unknown;
  /** Sends what only memory promises. */
  sendFromMemory(sends: readonly Sending[], cause: SendCause): void;
  /** The answer to a key, for whoever asks later: now, or when there is one. */
  awaitKey(key: string, item: MailboxItem): void;
  /** Answers all that wait for a key. */
  answerKey(key: string, reply: StoredReply): void;
  /** A record that deletes the agent was accepted. */
  deleted(): void;
  /** Tells the node again when the agent wants to be woken. */
  rearm(): void;
}
