/**
 * Where the logs of agents ended that left memory in peace: on engines whose reads may be old, an
 * agent that comes back needs no new proof that its log was seen to the end if it reaches that far.
 */
import type { LogFloor } from '../agent/first-append.ts';
import type { Log, Seq } from '../ports/log.ts';

/** So many are remembered; an agent that is forgotten costs one append more when it comes back. */
const floorsMax = 100_000;

/** What is remembered of logs. */
export class LogFloors {
  /** Nothing where reads show all there is. */
  readonly #tails: Map<string, Seq> | undefined;

  constructor({ capabilities }: Log) {
    this.#tails = capabilities.hasLinearizableReads ? undefined : new Map();
  }

  /** Remembers where a log ended, to which nothing of this node is on its way. */
  keep(address: string, agent: { readonly tail: Seq | undefined }): void {
    const tails = this.#tails;
    if (tails === undefined) return;
    const { tail } = agent;
    tails.delete(address);
    if (tail === undefined) return;
    tails.set(address, tail);
    const [oldest] = tails.keys();
    if (tails.size > floorsMax && oldest !== undefined) tails.delete(oldest);
  }

  /** What is known of a log that is to be read now; from now on others may be right about it. */
  take(address: string, version: number): LogFloor {
    const tail = this.#tails?.get(address);
    if (tail !== undefined) this.#tails?.delete(address);
    return { version, tail };
  }

  /** Forgets a log that was changed by others. */
  forget(address: string): void {
    this.#tails?.delete(address);
  }
}
