/** The subject of the laws of links, and the steps they are made of. */
import type { Clock } from '../ports/clock.ts';
import type { Link, LinkConnection, LinkListener } from '../ports/link.ts';
import { Collected } from './law-checks.ts';
import { within } from './laws.ts';

/** Two links that can reach each other. */
export interface LinkSubject {
  readonly link: Link;
  readonly other: Link;
  /** An address to listen on, of which the engine chooses the rest: a port, say. */
  readonly address: string;
  /** Bounds how long a law waits. */
  readonly clock: Clock;
}

/** One end of a connection, with all that has happened at it. */
export interface LinkEnd {
  readonly connection: LinkConnection;
  readonly frames: Collected<Uint8Array>;
  readonly closes: Collected<string>;
}

/** A connection from `other` to a listener of `link`. */
export interface LinkPair {
  readonly listener: LinkListener;
  /** The end that accepted. */
  readonly near: LinkEnd;
  /** The end that dialled. */
  readonly far: LinkEnd;
}

/** Connects the two links. */
export async function connectPair({ link, other, address, clock }: LinkSubject): Promise<LinkPair> {
  const accepted = new Collected<LinkEnd>(clock);
  const listener = await link.listen(address, connection => {
    accepted.add(watchEnd(connection, clock));
  });
  const far = watchEnd(await within(clock, other.connect(listener.address, 5_000)), clock);
  const [near] = await accepted.count(1);
  if (near === undefined) throw new Error('a connection must be accepted');
  return { listener, near, far };
}

/** Collects what happens at an end. */
export function watchEnd(connection: LinkConnection, clock: Clock): LinkEnd {
  const end = {
    connection,
    frames: new Collected<Uint8Array>(clock),
    closes: new Collected<string>(clock),
  };
  connection.onFrame(frame => end.frames.add(Uint8Array.from(frame)));
  connection.onClose(reason => end.closes.add(reason));
  return end;
}
