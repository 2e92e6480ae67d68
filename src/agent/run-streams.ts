/** Who waits for the next chunk, or the end, of runs. Chunks count once they are accepted. */
import type { TroupeError } from '../core/errors.ts';

/** Somebody who waits for something new of a run. */
export interface RunListener {
  /** There is a new chunk, or the run has ended. */
  changed(): void;
  /** This life of the agent ends; the next one can be asked. */
  closed(cause: TroupeError): void;
}

/** The listeners of one activation's runs. */
export class RunStreams {
  #listeners: Map<string, Set<RunListener>> | undefined;

  get hasListeners(): boolean {
    return this.#listeners !== undefined && this.#listeners.size > 0;
  }

  /** Adds a listener; returns the way to stop. */
  listen(runId: string, listener: RunListener): () => void {
    this.#listeners ??= new Map();
    const listeners = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners?.delete(runId);
    };
  }

  /** Tells the listeners of a run that something is new. */
  changed(runId: string): void {
    for (const listener of [...(this.#listeners?.get(runId) ?? [])]) listener.changed();
  }

  /** Tells all listeners that no more will come from this life of the agent. */
  close(cause: TroupeError): void {
    for (const listeners of this.#listeners?.values() ?? []) {
      for (const listener of listeners) listener.closed(cause);
    }
    this.#listeners = undefined;
  }
}
