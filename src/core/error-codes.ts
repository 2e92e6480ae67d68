/**
 * Every error code there is: what it means, what usually happened, and what to do. `troupe explain`
 * prints these texts and `docs/reference/errors.md` repeats them; a test keeps the two in step.
 */
/** What is known about an operation that failed. */
export type Outcome = 'not-executed' | 'rolled-back' | 'executed' | 'unknown';

/** What is to be known about one code. */
export interface ErrorCodeText {
  /** The outcome that an error of this code has when it does not say otherwise. */
  readonly outcome: Outcome;
  /** What happened. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** The closed set of codes. */
export const errorCodes = {
  INVALID_INPUT: {
    outcome: 'not-executed',
    meaning: 'A value does not fit its schema, or an argument is not acceptable.',
    remedy: 'Correct the value at the path the message names; nothing was recorded.',
  },
  TYPE_NOT_DEFINED: {
    outcome: 'not-executed',
    meaning: 'No agent type of that name is known to this node.',
    remedy:
      'Pass its contract or implementation in `agents` of `createTroupe`, or correct the name.',
  },
  ACTION_NOT_DEFINED: {
    outcome: 'not-executed',
    meaning: 'The agent type has no such action, event or signal, or its behaviour is missing.',
    remedy: 'Use one of the names that the message lists.',
  },
  NOT_SERIALIZABLE: {
    outcome: 'not-executed',
    meaning:
      'A value holds something that cannot be sent or stored: a function, class instance, socket, symbol or cycle.',
    remedy: 'Send plain data instead of what lies at the path the message names.',
  },
  PAYLOAD_TOO_LARGE: {
    outcome: 'not-executed',
    meaning: 'A value, record or state is larger than its limit.',
    remedy: 'Send less, split it, store a reference, or raise the limit the message names.',
  },
  LEVEL_UNSUPPORTED: {
    outcome: 'not-executed',
    meaning: 'The consistency level is not available, or does not offer this operation.',
    remedy: 'Use `strong` (or `none` without events, timers, tasks, requests and keys).',
  },
  NOT_STARTED: {
    outcome: 'not-executed',
    meaning: 'The node has not started, or has stopped.',
    remedy: 'Await `troupe.start()` first, and do not use a node after `stop()`.',
  },
  UNAUTHORIZED: {
    outcome: 'not-executed',
    meaning:
      'The admin API refused the token, the Host or the Origin of a request; or a NATS server refused the credentials of a node, or something that the node does.',
    remedy:
      'Use the token file in the data directory, and a loopback address; for NATS, correct what the message names (`troupe doctor --cluster`).',
  },
  MAILBOX_FULL: {
    outcome: 'not-executed',
    meaning: 'As many messages wait for this agent as its mailbox may hold.',
    remedy: 'Back off and retry, spread the load over more agents, or raise `mailboxLengthMax`.',
  },
  OVERLOADED: {
    outcome: 'not-executed',
    meaning: 'The node holds as many agents, requests or bytes as it may.',
    remedy: 'Back off and retry; raise the limit that the message names.',
  },
  NO_CAPACITY: {
    outcome: 'not-executed',
    meaning: 'No node can take the agent.',
    remedy: 'Add a node, or lower the resources the agent asks for.',
  },
  QUOTA_EXCEEDED: {
    outcome: 'not-executed',
    meaning: 'A quota is used up.',
    remedy: 'Wait for it to be renewed, or raise it.',
  },
  CIRCUIT_OPEN: {
    outcome: 'not-executed',
    meaning: 'Recent calls to this destination failed, so this one was not tried.',
    remedy: 'Wait until the time in `retryAfterMs`, and look at the destination.',
  },
  POOL_EXHAUSTED: {
    outcome: 'not-executed',
    meaning: 'Every slot of a bounded pool is in use.',
    remedy: 'Back off and retry, or raise the limit.',
  },
  NODE_DRAINING: {
    outcome: 'not-executed',
    meaning: 'The node is stopping and takes no new work.',
    remedy: 'Retry on another node, or after the restart.',
  },
  NO_QUORUM: {
    outcome: 'not-executed',
    meaning: 'The engine has no majority at the moment.',
    remedy: 'Wait for the engine to recover; nothing was written.',
  },
  PARTITIONED: {
    outcome: 'not-executed',
    meaning: 'The network between this node and the agent is cut.',
    remedy: 'Wait for it to heal, or use an agent on this side.',
  },
  ENGINE_UNAVAILABLE: {
    outcome: 'not-executed',
    meaning: 'The storage engine refused the operation and surely did not store it.',
    remedy: 'Retry later; look at the cause.',
  },
  WRONG_OWNER: {
    outcome: 'not-executed',
    meaning: 'The message reached a node that does not own the agent.',
    remedy: 'None needed: the runtime re-routes.',
  },
  STALE_EPOCH: {
    outcome: 'not-executed',
    meaning: 'A newer owner of the shard exists.',
    remedy: 'None needed: the runtime re-routes.',
  },
  VERSION_CONFLICT: {
    outcome: 'not-executed',
    meaning: 'Something else was written since the version that the operation expects.',
    remedy: 'Read again and decide anew.',
  },
  TRANSACTION_ABORTED: {
    outcome: 'not-executed',
    meaning: 'The transaction did not commit; no participant changed.',
    remedy: 'Retry the whole transaction.',
  },
  EXPIRED: {
    outcome: 'not-executed',
    meaning: 'The message or key is older than the time for which its result is kept.',
    remedy: 'Send a new message; look at whether the old one took effect.',
  },
  CANCELLED: {
    outcome: 'not-executed',
    meaning: 'The request, run or timer was cancelled.',
    remedy: 'None; start a new one if it is still wanted.',
  },
  REJECTED: {
    outcome: 'rolled-back',
    meaning: 'The agent answered with a refusal of its own, found in `data` as `{ code, data }`.',
    remedy: "Decide by the agent's code; a rejection is final and never retried.",
  },
  HANDLER_FAILED: {
    outcome: 'rolled-back',
    meaning: "The agent's code threw.",
    remedy:
      'Mend the code; `cause` holds the text of what it threw. No trace of a turn that threw remains.',
  },
  OUTPUT_INVALID: {
    outcome: 'rolled-back',
    meaning:
      'What an action returned, an event carried or a turn left as state does not fit its schema.',
    remedy: 'Mend the code or the schema at the path the message names.',
  },
  STATE_READ_ONLY: {
    outcome: 'rolled-back',
    meaning: 'A read or a task tried to change the state.',
    remedy: 'Change state in a turn, or in `ctx.update(turn => …)` inside a task.',
  },
  STEP_MISMATCH: {
    outcome: 'rolled-back',
    meaning: 'A resumed task asked for another effect than the one recorded in that place.',
    remedy: 'Give the step a new name, or let old runs finish on the old code (`troupe runs ls`).',
  },
  STEP_UNKNOWN: {
    outcome: 'rolled-back',
    meaning: 'A step was cut off and its policy says that nobody knows whether it took effect.',
    remedy:
      'Look at the outside world, then `troupe runs resolve RUN STEP --value JSON`, `--retry` or `--fail`.',
  },
  DEADLINE_EXCEEDED: {
    outcome: 'unknown',
    meaning: 'No answer came before the deadline; `outcome` tells whether it may have run.',
    remedy:
      'When `unknown`, retry only with the same `idempotencyKey`. A task that began goes on (`troupe runs ls`); `request` waits as long as it takes.',
  },
  NODE_UNREACHABLE: {
    outcome: 'unknown',
    meaning: 'The node of the agent cannot be reached.',
    remedy: 'Retry with the same key.',
  },
  ENGINE_FAILED: {
    outcome: 'unknown',
    meaning:
      'The storage engine failed in the middle of an operation, and the node stopped writing.',
    remedy:
      'Look at the cause (a failed disk flush for example), then restart the node; retry with the same key.',
  },
  STATE_MISMATCH: {
    outcome: 'not-executed',
    meaning: 'A stored state does not fit its schema, or is newer than the code.',
    remedy:
      'Add `migrate(old, from)` and raise `stateVersion`, or start the newer code. Nothing was overwritten.',
  },
  HISTORY_TRIMMED: {
    outcome: 'not-executed',
    meaning: 'The version asked for lies below what is kept.',
    remedy: 'Ask for a later version, or raise `historyVersions` of the type.',
  },
  LOG_CORRUPT: {
    outcome: 'not-executed',
    meaning: 'Stored bytes fail their checksum or their chain. The agent is not served.',
    remedy:
      'Restore a backup, or `troupe agents repair ADDRESS`, which exports what can be read and truncates with your consent.',
  },
  LOG_REGRESSED: {
    outcome: 'not-executed',
    meaning: 'The stored log ends below what was once acknowledged. The agent is not served.',
    remedy: 'Restore the lost part or a backup; never simply go on.',
  },
  INVARIANT_BROKEN: {
    outcome: 'not-executed',
    meaning:
      'Something that must always hold does not. The agent or the node stops rather than go on.',
    remedy: 'This is a bug of Troupe: report it with the message.',
  },
  DATA_LOCKED: {
    outcome: 'not-executed',
    meaning: 'Another process uses the data directory.',
    remedy: 'Stop it, or use another directory.',
  },
  PORT_IN_USE: {
    outcome: 'not-executed',
    meaning: 'The address to listen on is taken.',
    remedy: 'Choose another port, or stop what listens there.',
  },
  DISK_FULL: {
    outcome: 'not-executed',
    meaning:
      'No space is left on the device, or on the NATS servers. Reads go on, in a cluster while the lease lasts; writes resume by themselves when there is space.',
    remedy: 'Free space where the message says, or raise the limit that it names.',
  },
  ENGINE_UNSUPPORTED: {
    outcome: 'not-executed',
    meaning:
      'The data or the server is of a version that this code cannot work with, or the server cannot keep what agents promise.',
    remedy: 'Use the version, or set the option, that the message names.',
  },
  CONFIG_INVALID: {
    outcome: 'not-executed',
    meaning:
      'An option has an unacceptable value, or the machine or its servers are set up in a way that cannot work.',
    remedy: 'Correct what the message names.',
  },
} as const;

/** The code of a {@link TroupeError}. */
export type ErrorCode = keyof typeof errorCodes;
