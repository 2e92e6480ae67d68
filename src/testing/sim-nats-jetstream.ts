/**
 * JetStream of the model as a client's server sees it: which server takes a message for a stream or
 * a request to the API, as far as the asker's server knows, and whether any does. What the taker
 * does with it is in the files of publishing, direct gets and the API.
 */
import { answerApi } from './sim-nats-api.ts';
import type { SimNatsAssets } from './sim-nats-assets.ts';
import { natsError } from './sim-nats-config.ts';
import { directGet } from './sim-nats-direct.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import { jsonBytes, noHeaders, type SimNatsPacket } from './sim-nats-packet.ts';
import { publishTo } from './sim-nats-publish.ts';
import { failure, readApiSubject, type SimNatsApiCall } from './sim-nats-request.ts';
import { machineOf, type SimNatsStream, type StreamReplica } from './sim-nats-stream.ts';
import { isAtLeast } from './sim-nats-version.ts';

const apiPrefix = '$JS.API.';

interface Member {
  readonly server: SimNatsServer;
}

/** JetStream of a cluster. */
export class SimNatsJetStream {
  readonly #assets: SimNatsAssets;

  constructor(assets: SimNatsAssets) {
    this.#assets = assets;
  }

  /** Takes a message that reached a server; false when nobody takes it. */
  take(server: SimNatsServer, packet: SimNatsPacket): boolean {
    if (packet.subject.startsWith(apiPrefix)) return this.#ask(server, packet);
    const { home } = this.#assets;
    const stream = this.#assets.streamOf(packet.subject);
    if (stream === undefined) return false;
    // A write that a leader never gets to see is refused by the server of whoever sent it.
    if (home.switches.fires('no-responder')) return this.#isTakenByNobody();
    const leaders = stream.group.serving().filter(each => this.#sees(server, each));
    for (const leader of leaders) {
      home.net.send(server, leader.server, 'nats-publish', () => {
        if (!stream.group.isServing(leader)) return;
        publishTo(stream, leader, packet, body => this.#reply(leader.server, packet, body));
      });
    }
    return leaders.length > 0 || this.#isTakenByNobody();
  }

  #isTakenByNobody(): false {
    this.#assets.home.met('503');
    return false;
  }

  #ask(server: SimNatsServer, packet: SimNatsPacket): boolean {
    const call = readApiSubject(packet);
    const { switches } = this.#assets.home;
    if (call.verb === 'DIRECT.GET') return this.#askReplica(server, call);
    if (switches.fires('lost-answer')) return true;
    const stream = call.isForStreamLeader ? this.#assets.streams.get(call.stream) : undefined;
    const group = stream?.group ?? this.#assets.meta;
    const leaders = group.serving().filter(each => this.#sees(server, each));
    const isRefused = switches.fires('api-unavailable');
    if (isRefused || leaders.length === 0) {
      // As long as this server believes in a leader it says nothing, and nobody else does.
      const isBelieved = group.replicas.some(
        each => each.server === server && each.leader !== undefined,
      );
      if (isRefused || !isBelieved) this.#refuse(server, packet, call);
      return true;
    }
    for (const leader of leaders) this.#askLeader(server, leader, { packet, call });
    return true;
  }

  #askLeader(
    server: SimNatsServer,
    { server: target }: Member,
    { packet, call }: { readonly packet: SimNatsPacket; readonly call: SimNatsApiCall },
  ): void {
    this.#assets.home.net.send(server, target, 'nats-api', () => {
      const answer = (body: object) => this.#reply(target, packet, body);
      answerApi(this.#assets, { call, server: target }, answer);
    });
  }

  #askReplica(server: SimNatsServer, { stream: name, packet, rest }: SimNatsApiCall): boolean {
    const { streams, home, deliver } = this.#assets;
    const stream = streams.get(name);
    // Before 2.10 the account takes all requests to the API, and says nothing to this one.
    const isSilent = !isAtLeast(home.version, '2.10.0');
    if (stream === undefined || !stream.config.allow_direct) return isSilent;
    const replicas = stream.group.replicas.filter(
      each => each.server.isReady && this.#sees(server, each),
    );
    const replica = home.random.pick(replicas);
    if (replica === undefined) return isSilent;
    if (home.switches.fires('lost-answer')) return true;
    home.net.send(server, replica.server, 'nats-direct', () => {
      const { reply } = packet;
      if (reply === undefined) return;
      const asked = { payload: packet.payload, subject: rest };
      const messages = directGet(stream, replica, asked);
      if (isLagging(stream, replica)) home.met('lagging-read');
      const isPartLost = messages.length > 1 && home.switches.fires('lost-part');
      const lost = isPartLost ? home.random.pick(messages) : undefined;
      for (const message of messages) {
        if (message === lost) continue;
        deliver(replica.server, reply, { subject: reply, ...message });
      }
    });
    return true;
  }

  #sees(server: SimNatsServer, { server: other }: Member): boolean {
    return this.#assets.home.net.sees(server, other);
  }

  #refuse(server: SimNatsServer, packet: SimNatsPacket, { type, verb }: SimNatsApiCall): void {
    this.#assets.home.met('10008');
    const error = natsError(503, 10008, 'JetStream system temporarily unavailable');
    this.#reply(server, packet, { type, ...failure(verb, error) });
  }

  #reply(server: SimNatsServer, { reply }: SimNatsPacket, body: object): void {
    if (reply === undefined) return;
    const packet = { subject: reply, payload: jsonBytes(body), headers: noHeaders };
    this.#assets.deliver(server, reply, packet);
  }
}

function isLagging({ group }: SimNatsStream, replica: StreamReplica): boolean {
  const { lastSeq } = machineOf(replica).store;
  return group.serving().some(each => machineOf(each).store.lastSeq > lastSeq);
}
