/**
 * How much a connection has sent that the server has not yet said it read. A server that stands
 * still would else let our memory grow until it is given up.
 */

/** Asks the server to say that it read all before this; resolves when it did. */
export type Confirm = () => Promise<unknown>;

/** Confirmations cost a round trip each: one is asked for after so many bytes. */
const markBytes = 1024 * 1024;

/** The window of one connection. */
export class SendWindow {
  readonly #bytesMax: number;
  readonly #confirm: Confirm;
  #unreadBytes = 0;
  #unmarkedBytes = 0;
  /** Rises with each new connection, whose server has nothing of the old one's. */
  #life = 0;

  constructor(bytesMax: number, confirm: Confirm) {
    this.#bytesMax = bytesMax;
    this.#confirm = confirm;
  }

  /** Whether so much may be sent; a message larger than the window may when it is empty. */
  hasRoomFor(bytes: number): boolean {
    if (this.#unreadBytes === 0 || this.#unreadBytes + bytes <= this.#bytesMax) return true;
    // Room comes only with a confirmation, and none may be on its way.
    if (this.#unmarkedBytes > 0) this.#mark();
    return false;
  }

  /** Counts what was sent. */
  sent(bytes: number): void {
    this.#unreadBytes += bytes;
    this.#unmarkedBytes += bytes;
    if (this.#unmarkedBytes >= Math.min(markBytes, this.#bytesMax)) this.#mark();
  }

  /** Forgets what was sent to another server. */
  reset(): void {
    this.#life += 1;
    this.#unreadBytes = 0;
    this.#unmarkedBytes = 0;
  }

  #mark(): void {
    const [life, bytes] = [this.#life, this.#unmarkedBytes];
    this.#unmarkedBytes = 0;
    const free = () => {
      if (life === this.#life) this.#unreadBytes -= bytes;
    };
    // Without a confirmation the connection is lost, and the window is reset with the next one.
    this.#confirm().then(free, () => undefined);
  }
}
