/**
 * The few things of the real platform that the simulator itself needs, taken before the trap
 * replaces them. Simulated code never sees these.
 */
const { nextTick } = process;
const { setImmediate } = globalThis;

/** What the simulator takes from the real platform. */
export const platform = {
  /**
   * Resolves when no microtask is left, provided that it is called from a microtask.
   *
   * @remarks Node empties the microtask queue before it goes on with callbacks of
   * `process.nextTick`; one that was queued from a microtask therefore runs after all microtasks,
   * also those queued later. Three times as fast as a turn of the event loop, and public.
   */
  afterMicrotasks(): Promise<void> {
    return new Promise(resolve => nextTick(resolve));
  },
  /** Resolves in the next turn of the real event loop. */
  nextLoop(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve));
  },
  /** Calls back with the reason of each promise that nobody handles. Returns the way to stop. */
  onUnhandledRejection(listener: (reason: unknown) => void): () => void {
    process.on('unhandledRejection', listener);
    return () => process.off('unhandledRejection', listener);
  },
} as const;
