/**
 * Every limit and default there is, in one table: what it bounds, how much, and what happens at the
 * bound. `docs/reference/limits.md` is written from it. Limits of a type are set in its contract,
 * those of a node in `createTroupe`; `limit-options.ts` resolves both to plain numbers.
 * Numbers are written out, because the build makes declarations of them without inference.
 */
import type { ErrorCode } from '../core/error-codes.ts';

/** What is to be known about one limit. */
export interface LimitText {
  /** Where it is set: `limits` of a contract, `limits` of `createTroupe`, or nowhere. */
  readonly scope: 'type' | 'node' | 'fixed';
  /** Spans are given as durations and resolved to milliseconds. */
  readonly unit: 'count' | 'bytes' | 'span';
  /** In milliseconds, bytes or pieces. */
  readonly default: number;
  readonly min: number;
  readonly meaning: string;
  /** The error at the bound, or what happens instead of one. */
  readonly error: ErrorCode | 'waits' | 'warns' | 'oldest dropped' | 'tidied';
}

/** The limits that a contract may set for its type. */
export const typeLimits = {
  payloadBytesMax: {
    unit: 'bytes',
    default: 1_048_576,
    min: 1,
    meaning: 'An input, output, event, signal, chunk or outcome of a step, encoded.',
    error: 'PAYLOAD_TOO_LARGE',
  },
  stateBytesMax: {
    unit: 'bytes',
    default: 4_194_304,
    min: 1,
    meaning:
      'A snapshot of one agent with a log: its state and all that it needs to go on, encoded.',
    error: 'PAYLOAD_TOO_LARGE',
  },
  mailboxLengthMax: {
    unit: 'count',
    default: 1_000,
    min: 1,
    meaning: 'Messages that wait for one agent, all lanes together.',
    error: 'MAILBOX_FULL',
  },
  heldMax: {
    unit: 'count',
    default: 256,
    min: 0,
    meaning: 'Messages of one sender held back because a lower number has not come yet.',
    error: 'OVERLOADED',
  },
  idle: {
    unit: 'span',
    default: 300_000,
    min: 1,
    meaning:
      'Time without a message after which an agent leaves memory. With `none`, only while its state is the initial one, unless the type sets this.',
    error: 'tidied',
  },
  attemptsMax: {
    unit: 'count',
    default: 5,
    min: 1,
    meaning: 'Attempts at a message nobody waits for; then it is a dead letter.',
    error: 'HANDLER_FAILED',
  },
  attemptBackoff: {
    unit: 'span',
    default: 1_000,
    min: 1,
    meaning: 'Pause before the second attempt; it doubles with each further one.',
    error: 'waits',
  },
  executeTimeout: {
    unit: 'span',
    default: 10_000,
    min: 1,
    meaning: 'How long a caller waits for an answer when it names no `timeout`.',
    error: 'DEADLINE_EXCEEDED',
  },
  snapshotEvery: {
    unit: 'count',
    default: 500,
    min: 1,
    meaning: 'Records after which a snapshot is due, so that activation reads no more than these.',
    error: 'tidied',
  },
  historyVersions: {
    unit: 'count',
    default: 1_000,
    min: 0,
    meaning: 'Versions that are kept below the newest snapshot for `stateAt`, `diff` and `events`.',
    error: 'HISTORY_TRIMMED',
  },
  timersMax: {
    unit: 'count',
    default: 1_000,
    min: 0,
    meaning: 'Timers that one agent has at a time.',
    error: 'QUOTA_EXCEEDED',
  },
  outboxLengthMax: {
    unit: 'count',
    default: 10_000,
    min: 1,
    meaning: 'Messages of one agent that are promised and not yet consumed.',
    error: 'OVERLOADED',
  },
  inboxLengthMax: {
    unit: 'count',
    default: 10_000,
    min: 1,
    meaning:
      'Messages that one agent has confirmed and not yet handled; further ones stay with their senders.',
    error: 'waits',
  },
  deadLettersMax: {
    unit: 'count',
    default: 1_000,
    min: 1,
    meaning: 'Dead letters that one agent keeps; dropping one is logged.',
    error: 'oldest dropped',
  },
  signalsMax: {
    unit: 'count',
    default: 1_000,
    min: 0,
    meaning: 'Signals that one agent keeps until a task waits for them.',
    error: 'OVERLOADED',
  },
  runsMax: {
    unit: 'count',
    default: 1_000,
    min: 1,
    meaning: 'Tasks of one agent that have not ended.',
    error: 'OVERLOADED',
  },
  effectsMax: {
    unit: 'count',
    default: 10_000,
    min: 1,
    meaning: 'Steps, updates, sends, calls and waits of one run of a task.',
    error: 'QUOTA_EXCEEDED',
  },
  chunksMax: {
    unit: 'count',
    default: 1_000,
    min: 1,
    meaning: 'Chunks of one run that are kept for readers who come late or come back.',
    error: 'oldest dropped',
  },
} as const;

/** The limits that `createTroupe` may set for its node. */
export const nodeLimits = {
  residentMax: {
    unit: 'count',
    default: 200_000,
    min: 1,
    meaning:
      'Agents in memory. Above it the longest idle leave; with `none`, which cannot, new ones are refused.',
    error: 'OVERLOADED',
  },
  memoryBytesMax: {
    unit: 'bytes',
    default: 1_073_741_824,
    min: 1_048_576,
    meaning: 'Heap in use above which the longest idle agents leave memory.',
    error: 'tidied',
  },
  requestsMax: {
    unit: 'count',
    default: 100_000,
    min: 1,
    meaning: 'Calls from outside agents that are being answered.',
    error: 'OVERLOADED',
  },
  runAheadMax: {
    unit: 'count',
    default: 256,
    min: 1,
    meaning: 'Turns of one agent whose records are still in flight; then its mailbox waits.',
    error: 'waits',
  },
  appendBytesMax: {
    unit: 'bytes',
    default: 524_288,
    min: 1_024,
    meaning: 'Records of one agent that are appended together.',
    error: 'waits',
  },
  heldTimeout: {
    unit: 'span',
    default: 5_000,
    min: 1,
    meaning: 'How long a message is held back because a lower number has not come yet.',
    error: 'OVERLOADED',
  },
  slowTurn: {
    unit: 'span',
    default: 1_000,
    min: 1,
    meaning: 'A turn that takes longer is logged with the number of messages that wait for it.',
    error: 'warns',
  },
  dedupWindow: {
    unit: 'span',
    default: 600_000,
    min: 1_000,
    meaning:
      'How long the numbers of a sender outside agents are remembered; a longer `timeout` is refused.',
    error: 'INVALID_INPUT',
  },
  resultWindow: {
    unit: 'span',
    default: 604_800_000,
    min: 60_000,
    meaning:
      'How long promised messages are resent, and keys, futures and their results are kept (W).',
    error: 'EXPIRED',
  },
  sentDelay: {
    unit: 'span',
    default: 200,
    min: 0,
    meaning: 'How long the note that a promised message was consumed waits for other records.',
    error: 'waits',
  },
  inboxDelay: {
    unit: 'span',
    default: 100,
    min: 1,
    meaning:
      'How long a message that is delivered exactly once waits in a mailbox before it is recorded there.',
    error: 'waits',
  },
  resolveDelay: {
    unit: 'span',
    default: 50,
    min: 1,
    meaning: 'Pause before an append of unknown fate is repeated; it doubles each time.',
    error: 'waits',
  },
  resolveAttemptsMax: {
    unit: 'count',
    default: 8,
    min: 1,
    meaning: 'Repeats of an append of unknown fate; then the activation ends.',
    error: 'ENGINE_FAILED',
  },
  drain: {
    unit: 'span',
    default: 10_000,
    min: 0,
    meaning: 'How long `stop` lets what is running come to its end.',
    error: 'NODE_DRAINING',
  },
  listenerQueueMax: {
    unit: 'count',
    default: 10_000,
    min: 1,
    meaning: 'Events and topic messages that wait for one listener; dropping is counted.',
    error: 'oldest dropped',
  },
} as const;

/** Limits that belong to the formats and cannot be changed. */
export const fixedLimits = {
  keyBytesMax: {
    unit: 'bytes',
    default: 512,
    min: 1,
    meaning: 'The key of an agent, in UTF-8.',
    error: 'INVALID_INPUT',
  },
  idempotencyKeyBytesMax: {
    unit: 'bytes',
    default: 512,
    min: 1,
    meaning: 'An `idempotencyKey`, or the `key` of an effect in a task, in UTF-8.',
    error: 'INVALID_INPUT',
  },
  nameLengthMax: {
    unit: 'count',
    default: 64,
    min: 1,
    meaning: 'Characters of the name of a type, action, event or signal.',
    error: 'CONFIG_INVALID',
  },
  pageLengthMax: {
    unit: 'count',
    default: 1_000,
    min: 1,
    meaning: 'Entries of one page of a list.',
    error: 'INVALID_INPUT',
  },
} as const;

/** The whole table, in the order in which it is printed. */
export function allLimits(): readonly (readonly [name: string, text: LimitText])[] {
  return [
    ...withScope(typeLimits, 'type'),
    ...withScope(nodeLimits, 'node'),
    ...withScope(fixedLimits, 'fixed'),
  ];
}

function withScope(
  texts: Readonly<Record<string, Omit<LimitText, 'scope'>>>,
  scope: LimitText['scope'],
): [string, LimitText][] {
  return Object.entries(texts).map(([name, text]) => [name, { ...text, scope }]);
}
