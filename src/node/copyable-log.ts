/**
 * A log that can hold still for a moment: what is being appended ends, what comes meanwhile waits,
 * and so there is a moment in which nothing is under way. Until a copy of that moment is made,
 * nothing is trimmed either.
 */
import { TroupeError } from '../core/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  Heads,
  HeadsOptions,
  Log,
  LogCapabilities,
  LogSlice,
  NewRecord,
  ReadOptions,
  Seq,
} from '../ports/log.ts';

/** How a copy is made. */
export interface LogCopying<Moment, Result> {
  /** Notes the moment, while nothing is under way. */
  readonly note: () => Promise<Moment>;
  /** Copies what was there, while appends go on. */
  readonly copy: (moment: Moment) => Promise<Result>;
}

/** The log. */
export class CopyableLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly #log: Log;
  /** Appends that wait, in the order in which they came; absent while none has to. */
  #held: (() => void)[] | undefined;
  #isCopying = false;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;

  constructor(log: Log) {
    this.#log = log;
    this.capabilities = log.capabilities;
  }

  /**
   * Makes a copy. Appends wait only while the moment is noted.
   *
   * @throws `OVERLOADED` while another copy is being made; what the two functions throw.
   */
  async copied<Moment, Result>(copying: LogCopying<Moment, Result>): Promise<Result> {
    if (this.#isCopying) throw busy();
    this.#isCopying = true;
    try {
      return await copying.copy(await this.#heldStill(copying.note));
    } finally {
      this.#isCopying = false;
    }
  }

  append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const held = this.#held;
    if (held === undefined) {
      return this.#during(this.#log.append(name, expected, records, options));
    }
    // The caller may change its bytes once this returns.
    const owned = records.map(record => ({ ...record, bytes: Uint8Array.from(record.bytes) }));
    return new Promise((resolve, reject) => {
      held.push(() => {
        this.#during(this.#log.append(name, expected, owned, options)).then(resolve, reject);
      });
    });
  }

  read(name: string, options: ReadOptions): Promise<LogSlice> {
    return this.#log.read(name, options);
  }

  readLatest(name: string): Promise<LogSlice> {
    return this.#log.readLatest(name);
  }

  /** Space is won back later: the next trim takes what this one leaves. */
  async trim(name: string, before: Seq): Promise<void> {
    if (!this.#isCopying) await this.#during(this.#log.trim(name, before));
  }

  heads(options: HeadsOptions): Promise<Heads> {
    return this.#log.heads(options);
  }

  onFailure(listener: (error: TroupeError) => void): void {
    this.#log.onFailure(listener);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #heldStill<Moment>(note: () => Promise<Moment>): Promise<Moment> {
    this.#held = [];
    try {
      if (this.#inFlight > 0) {
        await new Promise<void>(resolve => {
          this.#onIdle = resolve;
        });
      }
      return await note();
    } finally {
      const held = this.#held;
      this.#held = undefined;
      this.#onIdle = undefined;
      for (const run of held) run();
    }
  }

  async #during<Value>(operation: Promise<Value>): Promise<Value> {
    this.#inFlight += 1;
    try {
      return await operation;
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }
}

function busy(): TroupeError {
  return new TroupeError('OVERLOADED', {
    detail: 'another backup is being made; ask again when it has ended',
    outcome: 'not-executed',
  });
}
