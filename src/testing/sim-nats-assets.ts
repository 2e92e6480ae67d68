/**
 * What a cluster of the model holds: its streams, and the group of all servers that decides which
 * there are. Requests are answered from here; how they get here is in the files above.
 */
import { SimNatsGroup } from './sim-nats-group.ts';
import { MetaMachine, MetaOp } from './sim-nats-meta.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import type { SimNatsAnswer, SimNatsPacket } from './sim-nats-packet.ts';
import { type SimNatsHome, type SimNatsStream, timesOf } from './sim-nats-stream.ts';
import { matches } from './sim-nats-subjects.ts';

const subjectsMax = 50_000;

/** Sends from a server to whoever listens on a subject; false when nobody does. */
export type SimNatsDeliver = (
  server: SimNatsServer,
  subject: string,
  packet: SimNatsPacket,
) => boolean;

/** The streams of a cluster. */
export class SimNatsAssets {
  readonly home: SimNatsHome;
  readonly deliver: SimNatsDeliver;
  readonly streams: Map<string, SimNatsStream> = new Map();
  readonly meta: SimNatsGroup<MetaOp, object>;
  readonly #streamsBySubject = new Map<string, SimNatsStream | undefined>();

  constructor(home: SimNatsHome, deliver: SimNatsDeliver) {
    this.home = home;
    this.deliver = deliver;
    this.meta = new SimNatsGroup<MetaOp, object>({
      net: home.net,
      random: home.random.fork('meta'),
      times: timesOf(home.version),
      servers: home.net.servers,
      machine: () => new MetaMachine(),
      onApplied: () => undefined,
      onElected: () => home.met('election'),
    });
  }

  /** The stream that a subject belongs to. */
  streamOf(subject: string): SimNatsStream | undefined {
    if (this.#streamsBySubject.has(subject)) return this.#streamsBySubject.get(subject);
    if (this.#streamsBySubject.size >= subjectsMax) this.#streamsBySubject.clear();
    const found = [...this.streams.values()].find(({ config }) =>
      config.subjects.some(pattern => matches(pattern, subject)),
    );
    this.#streamsBySubject.set(subject, found);
    return found;
  }

  /** To be called when streams come, go or change their subjects. */
  forgetSubjects(): void {
    this.#streamsBySubject.clear();
  }

  /** Has the servers agree on a deed, at one that leads them, and answers with what came of it. */
  decide(server: SimNatsServer, deed: () => object, answer: SimNatsAnswer): void {
    const leader = this.meta.serving().find(each => each.server === server);
    if (leader === undefined) return;
    const isAckLost = this.home.switches.fires('lost-ack');
    this.meta.propose(leader, new MetaOp(deed), result => {
      if (!isAckLost) answer(result);
    });
  }

  /** Looks who hears whom: to be called when that may have changed. */
  review(): void {
    this.meta.review();
    for (const { group, consumers } of this.streams.values()) {
      group.review();
      for (const consumer of consumers.values()) if (!consumer.isAlive) consumer.close();
    }
  }
}
