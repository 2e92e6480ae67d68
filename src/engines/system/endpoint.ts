/**
 * Where a socket listens or dials, as text: `host:port`, with brackets around a host with colons.
 */
import { TroupeError } from '../../core/errors.ts';

/** A host and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;

/**
 * Host and port of an address.
 *
 * @throws `CONFIG_INVALID` when it is not `host:port`.
 */
export function parseEndpoint(address: string): Endpoint {
  const match = pattern.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${JSON.stringify(address)} is not an address; write "host:port"`,
    });
  }
  return { host, port };
}

/** The address of a host and a port. */
export function endpointOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
