/**
 * A witness at the engine: notes every record that was to be stored, and when the engine first said
 * or showed that it was. It changes nothing, and sees what the node, on its side, may never hear.
 */
import type { AppendOptions, AppendResult, Log, NewRecord, StoredRecord } from '../ports/log.ts';

/** The newest record of a log at a moment. */
export interface Sighting {
  /** The place of the moment in the order of all that was observed. */
  readonly order: number;
  readonly bytes: Uint8Array;
  /** Whether the engine confirmed an append; otherwise it showed the record to a reader. */
  readonly isConfirmation: boolean;
}

/** What is known of one log. */
export interface WitnessedLog {
  /** All records that were ever to be stored, repetitions included. */
  readonly attempts: Uint8Array[];
  readonly sightings: Sighting[];
}

/** All that was seen at the engine. */
export class Witness {
  readonly logs: Map<string, WitnessedLog> = new Map();
  readonly #nextOrder: () => number;

  constructor(nextOrder: () => number) {
    this.#nextOrder = nextOrder;
  }

  /** The log, with the witness beside it. */
  watch<Watched extends Log>(log: Watched): Watched {
    const witness = this;
    return new Proxy(log, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name === 'append') return appendOf(witness, target);
        if (name === 'read' || name === 'readLatest') return readOf(witness, target, name);
        return (...values: unknown[]) => Reflect.apply(member, target, values);
      },
    });
  }

  /** The next place in the order of all that was observed. */
  now(): number {
    return this.#nextOrder();
  }

  /** What is known of a log. */
  of(name: string): WitnessedLog {
    const known = this.logs.get(name) ?? { attempts: [], sightings: [] };
    this.logs.set(name, known);
    return known;
  }

  /** Notes what a log ends with. */
  saw(name: string, last: Pick<StoredRecord, 'bytes'> | undefined, isConfirmation: boolean): void {
    if (last === undefined) return;
    const { sightings } = this.of(name);
    const order = this.#nextOrder();
    const newest = sightings.at(-1);
    // What was seen before and is seen again proves nothing more.
    if (newest !== undefined && Buffer.compare(newest.bytes, last.bytes) === 0) return;
    sightings.push({ order, bytes: last.bytes, isConfirmation });
  }
}

type Append = Log['append'];

function appendOf(witness: Witness, log: Log): Append {
  return async (
    name: string,
    expected: number,
    records: readonly NewRecord[],
    options?: AppendOptions,
  ): Promise<AppendResult> => {
    const { attempts } = witness.of(name);
    for (const { bytes } of records) attempts.push(bytes);
    const result = await log.append(name, expected, records, options);
    if (result.status === 'accepted') witness.saw(name, records.at(-1), true);
    return result;
  };
}

function readOf(witness: Witness, log: Log, verb: 'read' | 'readLatest'): Log['read'] {
  return async (name, options) => {
    const slice = verb === 'read' ? await log.read(name, options) : await log.readLatest(name);
    witness.saw(name, slice.records.at(-1), false);
    return slice;
  };
}
