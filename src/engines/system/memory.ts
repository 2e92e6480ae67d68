/** How much memory this process uses. */

/** Bytes of heap in use. */
export function systemMemoryBytes(): number {
  return process.memoryUsage().heapUsed;
}
