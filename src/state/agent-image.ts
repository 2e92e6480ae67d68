/** All that is durable about one agent, as a type: what folding its records yields. */
import type {
  DeadLetter,
  InboxEntry,
  OutboxEntry,
  SignalEntry,
  StoredReply,
  TimerEntry,
} from './entries.ts';
import type { Run } from './runs.ts';
import type { Stream } from './streams.ts';

/** A key that a caller gave, and what it was answered. */
export interface KeyEntry {
  /** Hash of action and input; the same key with another one is refused. */
  readonly fingerprint: string;
  /** Null while the message waits in the inbox. */
  readonly reply: StoredReply | null;
  readonly at: number;
}

/** Where a snapshot lies in the log, and which version it holds. */
export interface SnapshotPlace {
  readonly seq: number;
  readonly version: number;
}

/** Everything durable about an agent. Parts that most agents lack are absent until needed. */
export interface AgentImage {
  /**
   * Names this history of the agent, as a part of all numbers that it gives to messages; a restore
   * or a repair begins a new one. Empty until it gives the first.
   */
  lineage: string;
  epoch: number;
  version: number;
  /** When the last record was made, in wall-clock milliseconds. */
  at: number;
  stateVersion: number;
  /** Never changed in place. */
  state: unknown;
  /** Whether the state was ever recorded; if not, it is the initial one. */
  hasState: boolean;
  streams?: Map<string, Stream> | undefined;
  keys?: Map<string, KeyEntry> | undefined;
  outbox?: Map<string, OutboxEntry> | undefined;
  /** The last number used towards each receiver and lane. */
  numbers?: Map<string, number> | undefined;
  inbox?: Map<string, InboxEntry> | undefined;
  timers?: Map<string, TimerEntry> | undefined;
  runs?: Map<string, Run> | undefined;
  signals?: SignalEntry[] | undefined;
  dead?: Map<string, DeadLetter> | undefined;
  /** Where history may be cut: the snapshots before the one that says so, oldest first. */
  cuts?: readonly SnapshotPlace[] | undefined;
}
