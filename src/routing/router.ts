/** Where an agent is. With one node: here, if its behaviour is here. */
import type { Contract } from '../agent/contract.ts';
import { suggestionFor } from '../agent/suggest.ts';
import { TroupeError } from '../core/errors.ts';

/** What a node knows of a type. */
export interface KnownType {
  readonly contract: Contract;
  /** Whether its behaviour is on this node. */
  readonly isHosted: boolean;
}

/** Finds the contract and the place of agents. */
export class Router {
  readonly #types: ReadonlyMap<string, KnownType>;

  constructor(types: ReadonlyMap<string, KnownType>) {
    this.#types = types;
  }

  /**
   * The contract of a type.
   *
   * @throws `TYPE_NOT_DEFINED` with what there is instead.
   */
  contractOf(type: string): Contract {
    const known = this.#types.get(type);
    if (known !== undefined) return known.contract;
    const names = [...this.#types.keys()];
    throw new TroupeError('TYPE_NOT_DEFINED', {
      detail: `there is no agent type "${type}" on this node; it knows ${names.join(', ') || 'none'}${suggestionFor(type, names)}`,
    });
  }

  /** The contract of a type, if it is known. */
  find(type: string): KnownType | undefined {
    return this.#types.get(type);
  }

  /** All that is known. */
  types(): IterableIterator<KnownType> {
    return this.#types.values();
  }

  /** Why an agent cannot be reached from here; nothing when it can. */
  obstacle(type: string): TroupeError | undefined {
    const known = this.#types.get(type);
    if (known?.isHosted === true) return undefined;
    if (known === undefined) {
      return new TroupeError('TYPE_NOT_DEFINED', {
        detail: `there is no agent type "${type}" on this node`,
      });
    }
    return new TroupeError('NODE_UNREACHABLE', {
      detail: `"${type}" is known here by its contract only, and no node that hosts it can be reached; pass its implementation in \`agents\``,
      outcome: 'not-executed',
    });
  }
}
