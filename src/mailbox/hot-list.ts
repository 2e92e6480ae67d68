/**
 * The agents that are kept ready to run, a bounded number of them. One that comes is new for a
 * while; when it was not used again by then, it goes to rest first, so that many that are called
 * once do not drive out the few that are called often. The others are kept by the clock algorithm,
 * after Corbató (1968); the two parts are those of 2Q, after Johnson and Shasha (1994).
 */

/** An agent that may be put to rest. */
export interface Restable {
  /** Whether it was used since somebody last looked. */
  wasUsed: boolean;
  /** Its place in the list, kept by the list; -1 when it has none, or is new. */
  hotPlace: number;
  /** Whether it is ready to run. */
  readonly isActive: boolean;
  /** Puts it to rest, if it does nothing; returns whether it went. */
  rest(): boolean;
}

/** So many are new at a time. */
const newMax = 256;

/** So many places are looked at for one that comes. */
const stepsMax = 8;

/** Agents ready to run. */
export class HotList<A extends Restable> {
  readonly #lengthMax: number;
  readonly #new: (A | undefined)[] = [];
  readonly #kept: A[] = [];
  #newest = 0;
  #hand = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** Adds an agent that has become ready to run; another one may rest for it. */
  add(agent: A): void {
    if (agent.hotPlace >= 0) return;
    // What it was woken for does not count: only what comes while it is new.
    agent.wasUsed = false;
    this.#newest = (this.#newest + 1) % newMax;
    const eldest = this.#new[this.#newest];
    this.#new[this.#newest] = agent;
    if (eldest?.isActive !== true || eldest.hotPlace >= 0) return;
    if (eldest.wasUsed || !eldest.rest()) this.#keep(eldest);
  }

  /** Takes an agent out that is gone. */
  remove(agent: A): void {
    const place = agent.hotPlace;
    if (place < 0) return;
    agent.hotPlace = -1;
    const last = this.#kept.pop() as A;
    if (last === agent) return;
    last.hotPlace = place;
    this.#kept[place] = last;
  }

  /** Puts to rest whoever `isIdle` says. */
  restAll(isIdle: (agent: A) => boolean): void {
    for (const agent of this.#new) if (agent !== undefined && isIdle(agent)) agent.rest();
    for (let place = this.#kept.length - 1; place >= 0; place -= 1) {
      const agent = this.#kept[place] as A;
      if (isIdle(agent) && agent.rest()) this.remove(agent);
    }
  }

  clear(): void {
    this.#new.length = 0;
    for (const agent of this.#kept.splice(0)) agent.hotPlace = -1;
  }

  #keep(agent: A): void {
    const place = this.#kept.length < this.#lengthMax ? undefined : this.#freed();
    agent.hotPlace = place ?? this.#kept.length;
    this.#kept[agent.hotPlace] = agent;
  }

  /** The place of an agent that went to rest for another. */
  #freed(): number | undefined {
    for (let step = 0; step < stepsMax; step += 1) {
      this.#hand = (this.#hand + 1) % this.#kept.length;
      const agent = this.#kept[this.#hand] as A;
      const isUsed = agent.wasUsed;
      agent.wasUsed = false;
      if (agent.isActive && (isUsed || !agent.rest())) continue;
      agent.hotPlace = -1;
      return this.#hand;
    }
    return undefined;
  }
}
