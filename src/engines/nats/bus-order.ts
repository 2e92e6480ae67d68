/**
 * The order of what one publisher says. Servers keep it while a connection lasts; across a
 * reconnect what went the old way can arrive behind what went the new one, many seconds late. So
 * publishers number what they say, and whoever listens drops what comes behind a later one.
 */

/** The header that says who published a message, and as which of its messages. */
export const orderHeader = 'Troupe-From';

/** So many publishers are remembered; the one that was silent for the longest is forgotten. */
const publishersMax = 10_000;

/** The value of the header. */
export function orderOf(publisher: string, number: number): string {
  return `${publisher} ${number}`;
}

/** What one subscription has heard. */
export class HeardOrder {
  readonly #last = new Map<string, number>();

  /** Whether a message is to be handed on; one without a number, of somebody else, always is. */
  isNext(header: string | undefined): boolean {
    const [publisher = '', text] = header?.split(' ') ?? [];
    const number = Number(text);
    if (!Number.isSafeInteger(number)) return true;
    if (number <= (this.#last.get(publisher) ?? 0)) return false;
    this.#last.delete(publisher);
    this.#last.set(publisher, number);
    const [silent] = this.#last.keys();
    if (this.#last.size > publishersMax && silent !== undefined) this.#last.delete(silent);
    return true;
  }
}
