/** Who listens to the chunks of runs. Chunks reach listeners when their record is accepted. */

/** A listener: gets a chunk with its offset, and `undefined` chunks never. */
export interface ChunkListener {
  chunk(chunk: unknown, offset: number): void;
  end(): void;
}

/** The listeners of one activation's runs. */
export class RunStreams {
  #listeners: Map<string, Set<ChunkListener>> | undefined;

  get hasListeners(): boolean {
    return this.#listeners !== undefined && this.#listeners.size > 0;
  }

  /** Adds a listener; returns the way to stop. */
  listen(runId: string, listener: ChunkListener): () => void {
    this.#listeners ??= new Map();
    const listeners = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners?.delete(runId);
    };
  }

  /** Tells the listeners of a run a chunk. */
  publish(runId: string, chunk: unknown, offset: number): void {
    for (const listener of this.#listeners?.get(runId) ?? []) listener.chunk(chunk, offset);
  }

  /** Tells the listeners of a run that it has ended. */
  end(runId: string): void {
    const listeners = this.#listeners?.get(runId);
    this.#listeners?.delete(runId);
    for (const listener of listeners ?? []) listener.end();
  }

  /** Tells all listeners that no more will come from this life of the agent. */
  close(): void {
    for (const runId of [...(this.#listeners?.keys() ?? [])]) this.end(runId);
  }
}
