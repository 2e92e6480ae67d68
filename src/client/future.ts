/**
 * Futures: answers that outlive who asked. The request is recorded at its agent under a key; the
 * answer is kept there, and found again by the future's id.
 */
import { fingerprintOf } from '../agent/keyed-replies.ts';
import type { Future } from '../agent/references.ts';
import { parseAddress } from '../core/address.ts';
import { TroupeError } from '../core/errors.ts';
import type { Message } from '../delivery/delivery.ts';
import { ask } from './asking.ts';
import type { KernelSource } from './kernel.ts';

/** What a future refers to. */
export interface FutureOptions {
  readonly type: string;
  readonly key: string;
  /** The key of the request at its agent. */
  readonly request: string;
  /** The request, when it has still to be made. */
  readonly message?: Message | undefined;
}

/** The id of a future: the agent's address, and the key of the request there. */
export function futureId({ type, key, request }: FutureOptions): string {
  return `${type}/${key}#${encodeURIComponent(request)}`;
}

/**
 * What the id of a future refers to.
 *
 * @throws `INVALID_INPUT` when it is none.
 */
export function parseFutureId(id: string): FutureOptions {
  const hash = id.lastIndexOf('#');
  if (hash < 0)
    throw new TroupeError('INVALID_INPUT', {
      detail: `${JSON.stringify(id)} is not the id of a future`,
    });
  return { ...parseAddress(id.slice(0, hash)), request: decodeURIComponent(id.slice(hash + 1)) };
}

/** A future. */
export class DurableFuture<T> implements Future<T> {
  readonly id: string;
  readonly #kernel: KernelSource;
  readonly #options: FutureOptions;
  readonly #recorded: Promise<void>;
  #value: Promise<T> | undefined;

  constructor(kernel: KernelSource, options: FutureOptions) {
    this.id = futureId(options);
    this.#kernel = kernel;
    this.#options = options;
    this.#recorded =
      options.message === undefined
        ? Promise.resolve()
        : kernel()
            .delivery.deliver(options.message)
            .then(() => undefined);
    // Whoever awaits the future or `recorded` sees the failure; nobody has to.
    this.#recorded.catch(() => undefined);
  }

  recorded(): Promise<void> {
    return this.#recorded;
  }

  // biome-ignore lint/suspicious/noThenProperty: a future is awaited like a promise.
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#value ??= this.#ask();
    return this.#value.then(onValue, onError);
  }

  async cancel(reason = 'cancelled by its caller'): Promise<void> {
    await this.#recorded.catch(() => undefined);
    const { type, key, request, message } = this.#options;
    const fingerprint = message === undefined ? '' : fingerprintOf(message.action, message.input);
    await this.#kernel().delivery.deliver({
      type,
      key,
      action: '$cancelKey',
      input: { key: request, fingerprint, reason },
      guarantee: 'at_least_once',
      priority: 'high',
      wantsReply: true,
      trace: undefined,
    });
  }

  async #ask(): Promise<T> {
    const { type, key, request } = this.#options;
    await this.#recorded.catch(ignoreAnswered);
    const input = { key: request };
    const reply = await ask(this.#kernel(), { type, key, action: '$future', input });
    // The agent's output schema made the value what the type says.
    return reply.value as T;
  }
}

/** A request that was given up is answered with its error; one that never arrived is not. */
function ignoreAnswered(error: unknown): void {
  if (TroupeError.is(error) && (error.outcome === 'rolled-back' || error.outcome === 'executed'))
    return;
  throw error;
}
