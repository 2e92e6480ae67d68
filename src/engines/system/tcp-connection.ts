/**
 * One TCP connection as a LinkConnection. Nothing is read before somebody listens for frames, so no
 * frame is lost between accepting a connection and using it. Whoever closes sends what is queued
 * first; a peer that does not take it in time is cut off.
 */
import type { Socket } from 'node:net';
import { TroupeError } from '../../core/errors.ts';
import type { LinkConnection } from '../../ports/link.ts';
import { encodeFrame, FrameReader } from './frame-reader.ts';

/** Bounds of a connection, in bytes. */
export interface TcpLimits {
  readonly frameBytesMax: number;
  readonly queueBytesSoftMax: number;
  readonly queueBytesMax: number;
}

type CloseReason = 'closed' | 'reset' | 'protocol';

/** How long a closed connection may take to send what is queued. */
const lingerMs = 5_000;

/** The connection over a socket that is connected. */
export function tcpConnection(socket: Socket, remote: string, limits: TcpLimits): LinkConnection {
  return new TcpConnection(socket, remote, limits);
}

class TcpConnection implements LinkConnection {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #limits: TcpLimits;
  readonly #reader: FrameReader;
  readonly #closeListeners: ((reason: CloseReason) => void)[] = [];
  #frameListener: ((frame: Uint8Array) => void) | undefined;
  #waiting: (() => void)[] = [];
  #reason: CloseReason | undefined;
  #isClosing = false;
  #isClosed = false;

  constructor(socket: Socket, remote: string, limits: TcpLimits) {
    this.remote = remote;
    this.#socket = socket;
    this.#limits = limits;
    this.#reader = new FrameReader(limits.frameBytesMax);
    socket.on('error', () => this.#note('reset'));
    socket.on('end', () => this.#note(this.#reader.isAtBoundary ? 'closed' : 'reset'));
    socket.on('close', () => this.#finish());
  }

  send(frame: Uint8Array): boolean {
    const { frameBytesMax, queueBytesSoftMax, queueBytesMax } = this.#limits;
    if (frame.length > frameBytesMax) {
      throw new TroupeError('PAYLOAD_TOO_LARGE', {
        detail: `a frame of ${frame.length} bytes to ${this.remote}; at most ${frameBytesMax}`,
      });
    }
    if (this.#isClosing || this.#isClosed) return false;
    const bytes = encodeFrame(frame);
    if (this.#socket.writableLength + bytes.length < queueBytesSoftMax) {
      this.#socket.write(bytes);
      return true;
    }
    // Node's own "drain" has a threshold of its own, so the write that fills the queue reports.
    this.#socket.write(bytes, () => this.#wake());
    if (this.#socket.writableLength > queueBytesMax) this.#abort('reset');
    return false;
  }

  drained(): Promise<void> {
    const isFree = this.#socket.writableLength < this.#limits.queueBytesSoftMax;
    if (this.#isClosed || (isFree && !this.#isClosing)) return Promise.resolve();
    return new Promise(resolve => {
      this.#waiting.push(resolve);
    });
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    const isFirst = this.#frameListener === undefined;
    this.#frameListener = listener;
    if (isFirst) this.#socket.on('data', chunk => this.#receive(chunk));
  }

  onClose(listener: (reason: CloseReason) => void): void {
    if (this.#isClosed) queueMicrotask(() => listener(this.#reason ?? 'closed'));
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#note('closed');
    this.#socket.end();
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isClosing) return;
    const frames = this.#reader.push(chunk);
    if (frames === undefined) this.#abort('protocol');
    for (const frame of frames ?? []) {
      if (this.#isClosing) return;
      this.#frameListener?.(frame);
    }
  }

  #abort(reason: CloseReason): void {
    this.#isClosing = true;
    this.#note(reason);
    this.#socket.destroy();
  }

  /** The first thing that went wrong is the reason; what follows from it is not. */
  #note(reason: CloseReason): void {
    this.#reason ??= reason;
  }

  #wake(): void {
    const isFull = this.#socket.writableLength >= this.#limits.queueBytesSoftMax;
    if (!this.#isClosed && (this.#isClosing || isFull)) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #finish(): void {
    this.#isClosed = true;
    this.#wake();
    for (const listener of this.#closeListeners) listener(this.#reason ?? 'closed');
  }
}
