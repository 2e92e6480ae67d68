/**
 * Opens the admin API of a node: a server on the loopback interface, and the files by which the
 * command line finds it. Nothing here is reachable from another machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { TroupeError, wrapError } from '../core/errors.ts';
import type { NodeFace, OpenFace } from '../node/face.ts';
import { adminApi } from './admin-api.ts';
import { adminFiles, newToken, removeAdminFiles, writeAdminFiles } from './admin-files.ts';
import { startGauges } from './probes.ts';

/** The interface that the API listens on. */
const loopback = '127.0.0.1';

/** So many connections at a time; more wait in the kernel, and are then refused. */
const connectionsMax = 256;

/** How the API is opened. */
export interface OpenAdminOptions {
  readonly face: NodeFace;
  /** 0 for a free one. */
  readonly port: number;
}

/**
 * Opens the API.
 *
 * @throws `PORT_IN_USE`; `CONFIG_INVALID` when this process may not use the port.
 */
export async function openAdmin({ face, port }: OpenAdminOptions): Promise<OpenFace> {
  const token = newToken();
  const { fetch } = adminApi({ face, token });
  // Without TLS and HTTP/2 it is a plain server. The globals of the program stay as they are.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  server.maxConnections = connectionsMax;
  const url = `http://${loopback}:${await listen(server, port)}`;
  const folder = folderOf(face);
  try {
    writeAdminFiles(folder.path, { formatVersion: 1, url, pid: process.pid }, token);
  } catch (error) {
    await end(server);
    throw error;
  }
  const stopGauges = startGauges(face, () => process.memoryUsage().heapUsed);
  const tokenFile = join(folder.path, adminFiles.token);
  face.node.kernel.logger.info('the admin API is open', { url, tokenFile });
  return {
    async close() {
      stopGauges();
      folder.leave();
      await end(server);
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(startFailure(error, port)));
    server.listen({ host: loopback, port }, resolve);
  });
  const address = server.address();
  // A server that listens on an interface has an address with a port.
  return typeof address === 'object' && address !== null ? address.port : port;
}

function startFailure(error: Error, port: number): TroupeError {
  const code = 'code' in error ? error.code : undefined;
  const place = `the admin API at ${loopback}:${port}`;
  if (code === 'EADDRINUSE') {
    return new TroupeError('PORT_IN_USE', {
      detail: `${place} cannot be opened: something else listens there; choose another port, or 0 for a free one`,
      cause: error,
    });
  }
  return wrapError('CONFIG_INVALID', error, `${place} cannot be opened`);
}

interface Folder {
  readonly path: string;
  /** Takes back what was put there. */
  leave(): void;
}

/** Where the files go: to the node's directory, or, when it has none, to one of this process. */
function folderOf({ directory }: NodeFace): Folder {
  if (directory !== undefined) {
    return { path: directory, leave: () => removeAdminFiles(directory) };
  }
  const path = mkdtempSync(join(tmpdir(), 'troupe-'));
  return { path, leave: () => rmSync(path, { recursive: true, force: true }) };
}

async function end(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  // Who follows events would hold the server open for ever.
  server.closeAllConnections();
  await closed;
}
