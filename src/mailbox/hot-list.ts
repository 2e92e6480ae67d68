/**
 * The agents that are kept ready to run, a bounded number of them: one that comes takes the place of
 * one that was not used since the hand last passed it. The clock algorithm, after Corbató (1968).
 */

/** An agent that may be put to rest. */
export interface Restable {
  /** Whether it was used since somebody last looked. */
  wasUsed: boolean;
  /** Its place in the list, kept by the list; -1 when it has none. */
  hotPlace: number;
  /** Puts it to rest, if it does nothing; returns whether it went. */
  rest(): boolean;
}

/** So many places are looked at for one that comes. */
const stepsMax = 8;

/** Agents ready to run. */
export class HotList<A extends Restable> {
  readonly #lengthMax: number;
  readonly #places: A[] = [];
  #hand = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  get length(): number {
    return this.#places.length;
  }

  /** Adds an agent; another one rests for it, if one can be found among the next few. */
  add(agent: A): void {
    if (agent.hotPlace >= 0) return;
    const place = this.#places.length < this.#lengthMax ? undefined : this.#freed();
    agent.hotPlace = place ?? this.#places.length;
    this.#places[agent.hotPlace] = agent;
  }

  /** Takes an agent out, which then is ready to run no more, or gone. */
  remove(agent: A): void {
    const place = agent.hotPlace;
    if (place < 0) return;
    agent.hotPlace = -1;
    const last = this.#places.pop() as A;
    if (last === agent) return;
    last.hotPlace = place;
    this.#places[place] = last;
  }

  /** Puts to rest whoever `isIdle` says. */
  restAll(isIdle: (agent: A) => boolean): void {
    for (let place = this.#places.length - 1; place >= 0; place -= 1) {
      const agent = this.#places[place] as A;
      if (isIdle(agent) && agent.rest()) this.remove(agent);
    }
  }

  clear(): void {
    for (const agent of this.#places.splice(0)) agent.hotPlace = -1;
  }

  /** The place of an agent that went to rest for it. */
  #freed(): number | undefined {
    for (let step = 0; step < stepsMax; step += 1) {
      this.#hand = (this.#hand + 1) % this.#places.length;
      const agent = this.#places[this.#hand] as A;
      const isUsed = agent.wasUsed;
      agent.wasUsed = false;
      if (isUsed || !agent.rest()) continue;
      agent.hotPlace = -1;
      return this.#hand;
    }
    return undefined;
  }
}
