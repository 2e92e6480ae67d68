/**
 * How a figure is taken. Each sample runs in a fresh process, so that neither heap nor compiled
 * code of another figure colours it; a bench file is such a process and calls {@link
 * answerAsProbe}.
 */

/** The numbers that one run of a probe yields, by figure id. */
export type Sample = Readonly<Record<string, number>>;

/** Takes one sample. */
export type Probe = () => Promise<Sample>;

/** How long to measure; `--quick` shortens it. */
export const isQuick: boolean = process.env.TROUPE_BENCH_QUICK === '1';

/**
 * Milliseconds that a rate is measured for, after as long of the same to warm up: V8 takes about a
 * second until the path of a durable turn is compiled as it stays.
 */
export const windowMs: number = isQuick ? 300 : 1_500;

/** Runs one probe of this file and prints its sample, or all of them when none is named. */
export async function answerAsProbe(probes: Readonly<Record<string, Probe>>): Promise<void> {
  const flag = process.argv.indexOf('--sample');
  const wanted = flag < 0 ? Object.keys(probes) : process.argv.slice(flag + 1, flag + 2);
  for (const id of wanted) {
    const probe = probes[id];
    if (probe === undefined) throw new Error(`no probe is named "${id}" here`);
    const sample = await probe();
    process.stdout.write(`${flag < 0 ? '' : samplePrefix}${JSON.stringify(sample)}\n`);
  }
  // A timer that outlives its node is a fault, but not one that makes a figure wrong.
  if (flag >= 0) process.stdout.write('', () => process.exit());
}

/** Marks the line of a child's output that holds its sample. */
export const samplePrefix = 'sample: ';

/** Calls per second of `callers` that each wait for their call before they make the next. */
export async function callsPerSecond(
  callers: number,
  call: (caller: number) => Promise<unknown>,
): Promise<number> {
  await closedLoop(callers, windowMs, call);
  const { calls, elapsedMs } = await closedLoop(callers, windowMs, call);
  return (calls * 1_000) / elapsedMs;
}

/**
 * One caller for each of `count` items, `inFlight` at a time: items per second.
 *
 * @remarks For work that can be done only once per item, like an activation.
 */
export async function itemsPerSecond(
  count: number,
  inFlight: number,
  work: (item: number) => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now();
  await forEachItem(count, inFlight, work);
  return (count * 1_000) / (performance.now() - startedAt);
}

/** Runs `work` for each item below `count`, `inFlight` at a time. */
export async function forEachItem(
  count: number,
  inFlight: number,
  work: (item: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

/** Microseconds of each call, one in flight, sorted. */
export async function latenciesUs(call: () => Promise<unknown>): Promise<Float64Array> {
  await closedLoop(1, windowMs, call);
  const latencies: number[] = [];
  const until = performance.now() + windowMs;
  for (let before = performance.now(); before < until; ) {
    await call();
    const after = performance.now();
    latencies.push((after - before) * 1_000);
    before = after;
  }
  return Float64Array.from(latencies).sort();
}

/** The value below which a share of the sorted values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle of unsorted values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Resident bytes after everything unreachable was collected. Needs `--expose-gc`. */
export async function residentBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return process.memoryUsage.rss();
}

/**
 * Loops that live on microtasks alone starve timers, so the end is told by the clock in between.
 */
async function closedLoop(
  callers: number,
  durationMs: number,
  call: (caller: number) => Promise<unknown>,
): Promise<{ calls: number; elapsedMs: number }> {
  let calls = 0;
  let isRunning = true;
  const startedAt = performance.now();
  const until = startedAt + durationMs;
  const loop = async (caller: number): Promise<void> => {
    while (isRunning) {
      await call(caller);
      calls++;
      if ((calls & 63) === 0 && performance.now() >= until) isRunning = false;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)));
  return { calls, elapsedMs: performance.now() - startedAt };
}
