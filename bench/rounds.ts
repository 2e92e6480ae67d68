/** Takes every probe of a plan once a round, and gathers the samples by figure. */
import { takeSample } from './child.ts';
import type { Measured } from './registry.ts';
import type { Series } from './results.ts';

/** How often, and in which surroundings. */
export interface RoundsOptions {
  readonly rounds: number;
  readonly env: NodeJS.ProcessEnv;
}

/** The samples of all rounds. */
export class Rounds {
  readonly #samples = new Map<string, number[]>();
  readonly #failures = new Map<string, string>();

  /** Runs all rounds, telling on stderr how far it is. */
  async take(probes: readonly Measured[], { rounds, env }: RoundsOptions): Promise<void> {
    for (let round = 1; round <= rounds; round++) {
      for (const measured of probes) {
        // A probe that failed once would only fail again.
        if (this.#failures.has(measured.probe)) continue;
        process.stderr.write(`round ${round} of ${rounds}: ${measured.probe}\n`);
        await this.#takeOne(measured, env);
      }
    }
  }

  /** What was gathered for one figure or baseline. */
  seriesOf({ id, probe }: Measured): Series {
    return { samples: this.#samples.get(id) ?? [], failure: this.#failures.get(probe) };
  }

  async #takeOne(measured: Measured, env: NodeJS.ProcessEnv): Promise<void> {
    const sample = await takeSample(measured, env);
    if (typeof sample.failure === 'string') {
      this.#failures.set(measured.probe, sample.failure);
      return;
    }
    for (const [id, value] of Object.entries(sample)) {
      const samples = this.#samples.get(id) ?? [];
      samples.push(Number(value));
      this.#samples.set(id, samples);
    }
  }
}
