/**
 * The log of a node in a cluster: it fails for good with the node's lease, so that a node that was
 * taken for dead stops as it would stop without an engine, and appends nothing any more.
 */
import type { Lease } from '../cluster/lease.ts';
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

/** Makes a log fail when the lease is lost. */
export function leasedLog(log: Log, lease: Pick<Lease, 'state' | 'onState'>, what: string): Log {
  return new LeasedLog(log, lease, what);
}

class LeasedLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly #log: Log;
  readonly #listeners = new Set<(error: TroupeError) => void>();
  readonly #forget: () => void;
  #loss: TroupeError | undefined;

  constructor(log: Log, lease: Pick<Lease, 'state' | 'onState'>, what: string) {
    this.#log = log;
    this.capabilities = log.capabilities;
    this.#forget = lease.onState(state => {
      if (state === 'lost') this.#fail(what);
    });
    if (lease.state === 'lost') this.#fail(what);
  }

  append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    if (this.#loss === undefined) return this.#log.append(name, expected, records, options);
    return Promise.resolve({ status: 'unavailable', cause: this.#loss });
  }

  read(name: string, options: ReadOptions): Promise<LogSlice> {
    return this.#log.read(name, options);
  }

  readLatest(name: string): Promise<LogSlice> {
    return this.#log.readLatest(name);
  }

  trim(name: string, before: Seq): Promise<void> {
    return this.#log.trim(name, before);
  }

  heads(options: HeadsOptions): Promise<Heads> {
    return this.#log.heads(options);
  }

  onFailure(listener: (error: TroupeError) => void): void {
    let isTold = false;
    const once = (error: TroupeError) => {
      if (!isTold) listener(error);
      isTold = true;
    };
    this.#listeners.add(once);
    if (this.#loss !== undefined) once(this.#loss);
    this.#log.onFailure(once);
  }

  close(): Promise<void> {
    this.#forget();
    this.#listeners.clear();
    return this.#log.close();
  }

  #fail(what: string): void {
    if (this.#loss !== undefined) return;
    this.#loss = new TroupeError('ENGINE_FAILED', {
      detail: `the lease of ${what} was lost: another process was given its place, as this one was silent for too long`,
      outcome: 'not-executed',
    });
    for (const listener of this.#listeners) listener(this.#loss);
  }
}
