/**
 * Links over TCP: frames with their length before them. Who may speak, and what frames mean, is
 * left to transport; here a connection only keeps frames whole and in order, bounds them, and says
 * when the other end is slow. Addresses are `host:port`, with brackets around a host that has
 * colons.
 */
import * as net from 'node:net';
import { TroupeError, textOf } from '../../core/errors.ts';
import type { Link, LinkConnection, LinkListener } from '../../ports/link.ts';
import { endpointOf, parseEndpoint } from './endpoint.ts';
import { type TcpLimits, tcpConnection } from './tcp-connection.ts';

/** Bounds of a {@link systemLink}. */
export interface SystemLinkOptions {
  /**
   * The largest frame either way (default 16 MiB). A peer that announces a larger one is cut off.
   */
  readonly frameBytesMax?: number | undefined;
  /** What may wait to be sent on a connection before `send` answers `false` (default 1 MiB). */
  readonly queueBytesSoftMax?: number | undefined;
  /**
   * What may wait at most (default 64 MiB): a sender that goes on regardless loses the connection.
   */
  readonly queueBytesMax?: number | undefined;
}

const mebibyte = 1_048_576;

/** Links between processes, over TCP. */
export function systemLink(options: SystemLinkOptions = {}): Link {
  const limits: TcpLimits = {
    frameBytesMax: options.frameBytesMax ?? 16 * mebibyte,
    queueBytesSoftMax: options.queueBytesSoftMax ?? mebibyte,
    queueBytesMax: options.queueBytesMax ?? 64 * mebibyte,
  };
  return new TcpLink(limits);
}

class TcpLink implements Link {
  readonly #limits: TcpLimits;
  readonly #listeners = new Set<LinkListener>();
  readonly #sockets = new Set<net.Socket>();
  #isClosed = false;

  constructor(limits: TcpLimits) {
    this.#limits = limits;
  }

  async listen(
    address: string,
    onConnection: (connection: LinkConnection) => void,
  ): Promise<LinkListener> {
    this.#refuseWhenClosed();
    const { host, port } = parseEndpoint(address);
    const server = net.createServer({ noDelay: true, keepAlive: true }, socket => {
      const remote = endpointOf(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
      onConnection(this.#adopt(socket, remote));
    });
    const chosenPort = await bind(server, host, port, address);
    const listener: LinkListener = {
      address: endpointOf(host, chosenPort),
      close: async () => {
        // Stops accepting at once; the connections that were accepted live on.
        server.close();
        this.#listeners.delete(listener);
      },
    };
    this.#listeners.add(listener);
    if (this.#isClosed) await listener.close();
    return listener;
  }

  async connect(address: string, timeoutMs: number): Promise<LinkConnection> {
    this.#refuseWhenClosed();
    const { host, port } = parseEndpoint(address);
    const socket = net.createConnection({ host, port, noDelay: true, keepAlive: true });
    this.#sockets.add(socket);
    try {
      await connected(socket, address, timeoutMs);
    } catch (error) {
      this.#sockets.delete(socket);
      socket.destroy();
      throw error;
    }
    return this.#adopt(socket, address);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#listeners].map(listener => listener.close()));
    for (const socket of this.#sockets) socket.destroy();
  }

  #adopt(socket: net.Socket, remote: string): LinkConnection {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return tcpConnection(socket, remote, this.#limits);
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the link is closed' });
  }
}

function bind(server: net.Server, host: string, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // Stays registered: a later error, such as too many open files, costs one connection only.
    server.on('error', error => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE';
      reject(
        new TroupeError(isTaken ? 'PORT_IN_USE' : 'CONFIG_INVALID', {
          detail: `cannot listen on ${address}: ${textOf(error)}`,
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

function connected(socket: net.Socket, address: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) => {
      clearTimeout(timer);
      const detail = `${address} cannot be reached: ${why}`;
      reject(new TroupeError('NODE_UNREACHABLE', { detail, outcome: 'not-executed', cause }));
    };
    const timer = setTimeout(() => refuse(`no connection within ${timeoutMs} ms`), timeoutMs);
    socket.once('error', error => refuse(textOf(error), error));
    socket.once('close', () => refuse('the link was closed'));
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
