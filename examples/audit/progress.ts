/** How far an audit is, how fast it goes, and how long it will take: a line for people. */

/** A moment of an audit. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** The package that was done last, by its path. */
  readonly last?: string | undefined;
}

/** Makes the lines; `now` is in milliseconds and never goes backwards. */
export function progressLines(now: () => number): (progress: Progress) => string {
  let first: { readonly done: number; readonly at: number } | undefined;
  return ({ done, total, last }) => {
    const at = now();
    first ??= { done, at };
    const seconds = (at - first.at) / 1_000;
    // The rate counts from what this process found: what was done before a restart took no time.
    const rate = seconds > 0 ? (done - first.done) / seconds : 0;
    const parts = [`${done} of ${total} packages`];
    if (rate > 0) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)}/s`);
    if (done === total) return parts.join(', ');
    if (rate > 0) parts.push(`${timeText((total - done) / rate)} left`);
    // The end of its path is its name, and short enough for a line.
    parts.push(...(last?.split('node_modules/').slice(-1) ?? []));
    return parts.join(', ');
  };
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** What a {@link ProgressDisplay} writes to. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Shows one line that changes on a terminal, else a new line every second. */
export class ProgressDisplay {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  readonly #lineOf: (progress: Progress) => string;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(output: ProgressOutput, now: () => number) {
    this.#output = output;
    this.#now = now;
    this.#lineOf = progressLines(now);
  }

  /** Shows a moment, unless another was shown just now; the last is always shown. */
  show(progress: Progress): void {
    const line = this.#lineOf(progress);
    const isTerminal = this.#output.isTTY === true;
    const pauseMs = isTerminal ? 50 : 1_000;
    const isLast = progress.done === progress.total;
    if (!isLast && this.#now() - this.#shownAt < pauseMs) return;
    this.#shownAt = this.#now();
    this.#output.write(isTerminal ? `\r\u001B[K${line}${isLast ? '\n' : ''}` : `${line}\n`);
  }
}
