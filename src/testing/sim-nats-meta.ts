/**
 * The group that decides which streams there are. Its entries are deeds of the whole cluster: done
 * once, by whichever member applies them first, with the same answer for all.
 */
import type { SimNatsMachine } from './sim-nats-replica.ts';

/** A deed, done once. */
export class MetaOp {
  readonly #deed: () => object;
  #answer: object | undefined;

  constructor(deed: () => object) {
    this.#deed = deed;
  }

  /** Does it, unless that is done; what came of it. */
  do(): object {
    this.#answer ??= this.#deed();
    return this.#answer;
  }
}

/** The deeds that were decided. What they did is in the cluster, not here. */
export class MetaMachine implements SimNatsMachine<MetaOp, object> {
  apply(op: MetaOp): object {
    return op.do();
  }

  undo(): boolean {
    return false;
  }

  copy(): MetaMachine {
    return this;
  }
}
