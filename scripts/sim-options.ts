/** The options of `npm run sim`, read from the command line. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** What a run of the simulator is asked to do. */
export interface SimOptions {
  /** Virtual hours: one seed for each, and a part of one at the end. */
  readonly hours: number;
  /** The first seed. */
  readonly seed: number;
  /** Prints every event; on one core. */
  readonly isTraced: boolean;
  /** Where to write the whole report. */
  readonly jsonFile: string | undefined;
  readonly cores: number;
  /** The engine that all worlds stand on; each seed draws its own when there is none. */
  readonly engine: string | undefined;
  /** A module that exports `scenario`, to simulate another world. */
  readonly world: string;
}

/** The world that is simulated unless another one is named. */
export const worldDefault = 'src/testing/sim-troupe.ts';

/** How to use it. */
export const simUsage: string = `npm run sim -- --hours H [--seed N] [--trace] [--json FILE]
  [--cores K] [--engine embedded|memory|nats] [--world MODULE]
H seeds from N (default 1) on, one virtual hour each, on K cores (default: all).`;

/** The options, or a sentence that says what is wrong with them. */
export function readSimOptions(words: readonly string[]): SimOptions | string {
  const read = readWords(words);
  if (typeof read === 'string') return read;
  const { hours: hoursText, seed: seedText, cores: coresText, trace, json, engine, world } = read;
  const hours = Number(hoursText);
  const seed = Number(seedText);
  const cores = Number(coresText);
  if (!(hours > 0)) return `--hours is ${hoursText}; give a number above 0`;
  if (!Number.isSafeInteger(seed) || seed < 0) return `--seed is ${seedText}; give an integer`;
  if (!Number.isSafeInteger(cores) || cores < 1) return `--cores is ${coresText}; give 1 or more`;
  return {
    hours,
    seed,
    isTraced: trace,
    jsonFile: json,
    // Lines of several seeds at once would be of no use.
    cores: trace ? 1 : Math.min(cores, Math.ceil(hours)),
    engine,
    world,
  };
}

interface Words {
  readonly hours: string;
  readonly seed: string;
  readonly cores: string;
  readonly trace: boolean;
  readonly json?: string | undefined;
  readonly engine?: string | undefined;
  readonly world: string;
}

function readWords(words: readonly string[]): Words | string {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        hours: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        trace: { type: 'boolean', default: false },
        json: { type: 'string' },
        cores: { type: 'string', default: String(availableParallelism()) },
        engine: { type: 'string' },
        world: { type: 'string', default: worldDefault },
      },
    });
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
