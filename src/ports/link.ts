/** Frames between two processes or threads, as a port: what transport stands on. */

/** One connection. */
export interface LinkConnection {
  /** The address of the other end, as it was dialled or accepted. */
  readonly remote: string;
  /**
   * Sends a frame. Frames arrive whole and in order, or the connection closes.
   *
   * @returns `false` when the other end is slow and the sender should wait for `drained`.
   */
  send(frame: Uint8Array): boolean;
  /** Resolves when the connection takes frames again, or is closed. */
  drained(): Promise<void>;
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** Calls back once; `reason` says whether the peer closed, reset, or broke the protocol. */
  onClose(listener: (reason: 'closed' | 'reset' | 'protocol') => void): void;
  close(): void;
}

/** A place that accepts connections. */
export interface LinkListener {
  /** The address to dial, with the port that was chosen. */
  readonly address: string;
  close(): Promise<void>;
}

/** Connections between nodes. */
export interface Link {
  /** @throws `PORT_IN_USE` */
  listen(
    address: string,
    onConnection: (connection: LinkConnection) => void,
  ): Promise<LinkListener>;
  /** @throws `NODE_UNREACHABLE` (`not-executed`) when nobody accepts. */
  connect(address: string, timeoutMs: number): Promise<LinkConnection>;
  close(): Promise<void>;
}
