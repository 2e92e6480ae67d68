/** What the code of simulated agents has of the world around it, beside its context. */
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { CellContracts } from './sim-troupe-contract.ts';
import type { NotebookPages } from './sim-troupe-notes.ts';

/** One life's surroundings. */
export interface Surroundings {
  /** The outside world takes time, too. */
  readonly clock: Clock;
  /** Luck of the outside world. */
  readonly random: Random;
  /** Where effects on the outside world are written down. */
  readonly notes: NotebookPages;
}

/** What a deed stands on beside its turn. */
export interface DeedTools extends Pick<Surroundings, 'clock'> {
  readonly contracts: CellContracts;
}
