/** What a read sees: the last accepted state, and other agents' reads. */
import type { Envelope, TraceContext } from '../core/envelope.ts';
import { readOnlyView } from '../state/draft.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Contract } from './contract.ts';
import { readsOf } from './reference.ts';
import type { TurnAgent } from './turn-context.ts';

/** The context of a read. */
export class ReadContext {
  readonly #agent: TurnAgent;
  readonly #envelope: Envelope;
  readonly #state: unknown;

  constructor(agent: TurnAgent, envelope: Envelope, state: unknown) {
    this.#agent = agent;
    this.#envelope = envelope;
    this.#state = state;
  }

  get key(): string {
    return this.#agent.key;
  }

  get address(): string {
    return this.#agent.address;
  }

  get caller(): string | undefined {
    return this.#envelope.caller;
  }

  get correlationId(): string {
    return this.#envelope.correlationId;
  }

  get trace(): TraceContext | undefined {
    return this.#envelope.trace;
  }

  get logger(): Logger {
    return this.#agent.logger;
  }

  get state(): unknown {
    return readOnlyView(this.#state, this.#agent.address);
  }

  now(): number {
    return this.#agent.host.clock.now();
  }

  random(): number {
    return this.#agent.host.random.next();
  }

  get(contract: Contract, key: string): unknown {
    return readsOf(this.#agent, this.#envelope, contract, key);
  }
}
