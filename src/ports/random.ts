/** Randomness, as a port: the simulator seeds it. */

/** A source of random values. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Lower-case hexadecimal digits, two for each of `bytes` random bytes. Suitable for ids. */
  hex(bytes: number): string;
}
