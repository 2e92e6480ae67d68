/**
 * Bounds how many operations are under way at once: servers drop requests of their API beyond some
 * ten thousand, which then only time out. The next ones wait in line.
 */

/** A window through which operations go. */
export class Window {
  readonly #countMax: number;
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Runs an operation, at once if there is room, else when it is its turn. */
  async run<Value>(operation: () => Promise<Value>): Promise<Value> {
    if (this.#count < this.#countMax) this.#count += 1;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await operation();
    } finally {
      const next = this.#waiting.shift();
      // Its place is handed on, so that nobody slips in between.
      if (next === undefined) this.#count -= 1;
      else next();
    }
  }
}
