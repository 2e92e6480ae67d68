/**
 * The two ends of a connection in memory. What one end sends waits in the other end's queue, and a
 * deferred task moves one frame at a time: the queue keeps the order, whatever order tasks run in.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LinkConnection } from '../../ports/link.ts';

type CloseReason = 'closed' | 'reset' | 'protocol';

/** What both ends share. */
export interface PairOptions {
  readonly clock: Clock;
  readonly frameBytesMax: number;
  readonly queueBytesSoftMax: number;
  readonly isPaused: () => boolean;
}

/** Two ends: the dialler's, which sees `target`, and the other one, which sees `source`. */
export function connectionPair(
  target: string,
  source: string,
  options: PairOptions,
): [MemoryConnection, MemoryConnection] {
  const here = new MemoryConnection(target, options);
  const there = new MemoryConnection(source, options);
  here.join(there);
  there.join(here);
  return [here, there];
}

/** One end. */
export class MemoryConnection implements LinkConnection {
  readonly remote: string;
  readonly #options: PairOptions;
  readonly #closeListeners: ((reason: CloseReason) => void)[] = [];
  #peer: MemoryConnection | undefined;
  #frameListener: ((frame: Uint8Array) => void) | undefined;
  /** Frames on their way to this end, and last what ends the connection. */
  #queue: (Uint8Array | CloseReason)[] = [];
  #queueBytes = 0;
  #isPumping = false;
  #isEnding = false;
  #closeReason: CloseReason | undefined;
  #waiting: (() => void)[] = [];

  constructor(remote: string, options: PairOptions) {
    this.remote = remote;
    this.#options = options;
  }

  /** Names the other end. For whoever makes a pair. */
  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  send(frame: Uint8Array): boolean {
    const { frameBytesMax } = this.#options;
    if (frame.length > frameBytesMax) {
      throw new TroupeError('PAYLOAD_TOO_LARGE', {
        detail: `a frame of ${frame.length} bytes to ${this.remote}; at most ${frameBytesMax}`,
      });
    }
    if (this.#isEnding || this.#peer === undefined) return false;
    this.#peer.#enqueue(new Uint8Array(frame));
    return !this.#isPeerFull();
  }

  drained(): Promise<void> {
    if (this.#closeReason !== undefined) return Promise.resolve();
    if (!this.#isEnding && !this.#isPeerFull()) return Promise.resolve();
    return new Promise(resolve => {
      this.#waiting.push(resolve);
    });
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#frameListener = listener;
    this.pump();
  }

  onClose(listener: (reason: CloseReason) => void): void {
    const reason = this.#closeReason;
    if (reason === undefined) this.#closeListeners.push(listener);
    else this.#options.clock.defer(() => listener(reason));
  }

  close(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    // The other end gets what was sent before; this one gets nothing any more.
    if (this.#peer !== undefined) this.#peer.#enqueue('closed');
    this.#options.clock.defer(() => this.#finish('closed'));
  }

  /** Ends both ends at once; what is on its way is lost. */
  shut(reason: CloseReason): void {
    for (const end of [this, this.#peer]) {
      if (end === undefined || end.#closeReason !== undefined) continue;
      end.#isEnding = true;
      this.#options.clock.defer(() => end.#finish(reason));
    }
  }

  /** Goes on moving frames, if there are any and somebody listens. */
  pump(): void {
    if (this.#isPumping || !this.#canMove()) return;
    this.#isPumping = true;
    this.#options.clock.defer(() => {
      this.#isPumping = false;
      if (this.#canMove()) this.#move();
      this.pump();
    });
  }

  #move(): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    if (typeof next === 'string') {
      this.#finish(next);
      return;
    }
    this.#queueBytes -= next.length;
    const sender = this.#peer;
    if (sender !== undefined && !sender.#isPeerFull()) sender.#wake();
    this.#frameListener?.(next);
  }

  #canMove(): boolean {
    const next = this.#queue[0];
    if (next === undefined || this.#closeReason !== undefined || this.#options.isPaused()) {
      return false;
    }
    return typeof next === 'string' || this.#frameListener !== undefined;
  }

  #enqueue(item: Uint8Array | CloseReason): void {
    if (this.#isEnding) return;
    this.#queue.push(item);
    if (typeof item !== 'string') this.#queueBytes += item.length;
    this.pump();
  }

  #isPeerFull(): boolean {
    const queueBytes = this.#peer === undefined ? 0 : this.#peer.#queueBytes;
    return queueBytes >= this.#options.queueBytesSoftMax;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #finish(reason: CloseReason): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#isEnding = true;
    this.#queue = [];
    this.#queueBytes = 0;
    this.#wake();
    for (const listener of this.#closeListeners) listener(reason);
  }
}
