/**
 * The model of a cluster of NATS servers with JetStream, for the simulator: what a client package
 * would talk to. It does what servers of its version were measured to do, also when they do wrong;
 * all time is the scheduler's and all luck the seed's. Clients come in by `connectSimNats`.
 */

import type { SimOwner } from './sim-event-heap.ts';
import { SimNatsAssets } from './sim-nats-assets.ts';
import { SimNatsJetStream } from './sim-nats-jetstream.ts';
import type { NatsMeeting } from './sim-nats-met.ts';
import { SimNatsNet, type SimNatsPings, type SimNatsServer } from './sim-nats-net.ts';
import { SimNatsRouter } from './sim-nats-router.ts';
import { SimNatsSocket, type SimNatsSocketOptions } from './sim-nats-socket.ts';
import { machineOf } from './sim-nats-stream.ts';
import { type NatsRequestFault, SimNatsSwitches } from './sim-nats-switches.ts';
import { versionOf } from './sim-nats-version.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** What a cluster is made of. */
export interface SimNatsClusterOptions {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  /** How many servers (default 1). */
  readonly servers?: 1 | 3 | undefined;
  /** Default 2.15.1. */
  readonly version?: string | undefined;
  /** Whether what is acknowledged is flushed: `sync_interval: always` (default true). */
  readonly isFlushed?: boolean | undefined;
  /** Default `short`, as in the recommended configuration. */
  readonly pings?: SimNatsPings | undefined;
  readonly onFault?: ((kind: string) => void) | undefined;
  /** Told what clients meet. */
  readonly onMet?: ((what: NatsMeeting) => void) | undefined;
}

/** What a client's connection is made of, beside what the cluster gives it. */
export type SimNatsSocketRequest = Pick<
  SimNatsSocketOptions,
  'server' | 'owner' | 'onMessage' | 'onBroken'
>;

/** The largest message, headers included. */
export const simNatsPayloadBytesMax: number = 1_048_576;

/** A client pings each second and gives up after two pings without an answer. */
const clientNoticesMs = { low: 2_000, high: 3_500 } as const;
const serverNoticesMs = {
  short: { low: 2_200, high: 4_000 },
  default: { low: 120_000, high: 360_000 },
} as const;
const lateMsMax = 10_000;
/** At most so many writes of a stream are forgotten with the power. */
const forgottenMax = 24;

/** A cluster of servers. */
export class SimNatsCluster {
  readonly version: string;
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly net: SimNatsNet;
  readonly assets: SimNatsAssets;
  /** Faults of single requests. */
  readonly switches: SimNatsSwitches;
  /** The server that new clients try first; any, when there is none. */
  dialFirst: SimNatsServer | undefined;
  readonly #options: SimNatsClusterOptions;
  readonly #router: SimNatsRouter;
  readonly #jetStream: SimNatsJetStream;
  readonly #luck: SimRandom;
  #sockets: SimNatsSocket[] = [];
  #clients = 0;
  #era = 0;
  /** Servers that no client reaches, with the time since when. */
  readonly #cutOff = new Map<SimNatsServer, number>();
  /** Clients that reach no server. */
  readonly #cutOwners = new Map<SimOwner, number>();

  constructor(options: SimNatsClusterOptions) {
    const { scheduler, random, servers = 1, version = '2.15.1', pings = 'short' } = options;
    this.#options = options;
    this.version = version;
    this.scheduler = scheduler;
    this.random = random;
    this.#luck = random.fork('luck');
    this.switches = new SimNatsSwitches(random.fork('switches'), kind => this.#count(kind));
    const net = { scheduler, random: random.fork('net'), servers, pings, name: 'sim' };
    this.net = new SimNatsNet(net);
    const onLate = () => this.met('late-message');
    const router = new SimNatsRouter(this.net, random.fork('router'), onLate);
    const home = {
      net: this.net,
      random: random.fork('jetstream'),
      version: versionOf(version),
      switches: this.switches,
      isClustered: servers > 1,
      met: (what: NatsMeeting) => this.met(what),
    };
    this.#router = router;
    this.assets = new SimNatsAssets(home, (server, subject, packet) =>
      router.deliver(server, subject, packet),
    );
    this.#jetStream = new SimNatsJetStream(this.assets);
    this.net.onChange(() => this.assets.review());
  }

  get servers(): readonly SimNatsServer[] {
    return this.net.servers;
  }

  /** Rises when all faults end: what was to happen before does not happen after. */
  get era(): number {
    return this.#era;
  }

  /** Whether the servers flush what they acknowledge. */
  get isFlushed(): boolean {
    return this.#options.isFlushed !== false;
  }

  /** Whether a client that dials a server gets an answer. */
  canEnter(server: SimNatsServer, owner?: SimOwner): boolean {
    if (owner !== undefined && this.#cutOwners.has(owner)) return false;
    return this.net.isRunning(server) && !this.#cutOff.has(server);
  }

  /** Counts what a client met. */
  met(what: NatsMeeting): void {
    this.#options.onMet?.(what);
  }

  /** Luck of its own for each client. */
  nextClientLuck(label: string): SimRandom {
    this.#clients++;
    return this.random.fork(`client/${label}/${this.#clients}`);
  }

  /** Opens a client's connection to a server that lets it in. */
  open(request: SimNatsSocketRequest): SimNatsSocket {
    const socket = new SimNatsSocket({
      ...request,
      scheduler: this.scheduler,
      random: this.#luck,
      router: this.#router,
      onLate: () => this.met('late-message'),
      take: (server, packet) => this.#jetStream.take(server, packet),
    });
    this.#sockets = this.#sockets.filter(each => each.isOpen || each.isOpenAtClient);
    this.#sockets.push(socket);
    return socket;
  }

  /** Kills a server; with its power, when that is lost too. */
  kill(server: SimNatsServer, isPowerLost = false): void {
    if (!server.isAlive) return;
    this.#count(isPowerLost ? 'nats-power-loss' : 'nats-kill');
    this.net.kill(server);
    this.#cutOff.delete(server);
    for (const socket of this.#socketsOf(server)) socket.reset();
    if (isPowerLost && !this.isFlushed) this.#forget(server);
  }

  /** Starts a server that was killed. */
  start(server: SimNatsServer): void {
    this.net.start(server);
  }

  /** Freezes a server. */
  pause(server: SimNatsServer): void {
    if (!this.net.isRunning(server)) return;
    this.#count('nats-pause');
    this.net.pause(server);
    this.#cutClients(server);
  }

  /** Cuts a server off from the others, and from its clients as well if so wished. */
  isolate(server: SimNatsServer, { clients = false }: { readonly clients?: boolean } = {}): void {
    if (!this.net.isRunning(server)) return;
    this.#count('nats-cut');
    for (const other of this.servers) if (other !== server) this.net.cut(server, other);
    if (clients) this.#cutClients(server);
  }

  /** Cuts what one server says to another. */
  cutOneWay(server: SimNatsServer, other: SimNatsServer): void {
    this.#count('nats-one-way-cut');
    this.net.cut(server, other, true);
  }

  /** Lets a server's clients hear nothing of it. */
  cutClients(server: SimNatsServer): void {
    if (!this.canEnter(server)) return;
    this.#count('nats-client-cut');
    this.#cutClients(server);
  }

  /** Cuts the clients of one life of a process off from all servers. */
  cutOwner(owner: SimOwner): void {
    this.#cutOwners.set(owner, this.net.nowMs);
    for (const socket of this.#sockets) if (socket.owner === owner) this.#cutSocket(socket);
  }

  /** Lets the clients of a life reach the servers again. */
  healOwner(owner: SimOwner): void {
    const sinceMs = this.#cutOwners.get(owner);
    this.#cutOwners.delete(owner);
    if (sinceMs === undefined) return;
    const own = this.#sockets.filter(each => each.owner === owner);
    this.#healSockets(
      own.filter(({ server }) => !this.#cutOff.has(server)),
      sinceMs,
    );
  }

  /** Breaks the connections of one life of a process, which has to come back. */
  resetOwner(owner: SimOwner): void {
    for (const socket of this.#sockets) if (socket.owner === owner) socket.reset();
  }

  /** Lets a server's replicas show only late what was decided. */
  lag(server: SimNatsServer, lagMs: number): void {
    if (lagMs > 0) this.#count('nats-lag');
    server.lagMs = lagMs;
  }

  /** Ends what cuts a server off, what freezes it and what makes it lag. */
  heal(server: SimNatsServer): void {
    server.lagMs = 0;
    this.net.resume(server);
    this.net.heal(server);
    const sinceMs = this.#cutOff.get(server);
    this.#cutOff.delete(server);
    if (sinceMs === undefined) return;
    const reached = this.#socketsOf(server).filter(({ owner }) => !this.#cutOwners.has(owner));
    this.#healSockets(reached, sinceMs);
  }

  /** Ends every fault, and starts what was killed: what follows must become well. */
  healAll(): void {
    this.#era++;
    this.dialFirst = undefined;
    this.switches.clear();
    for (const owner of [...this.#cutOwners.keys()]) this.healOwner(owner);
    for (const server of this.servers) {
      this.heal(server);
      this.start(server);
    }
  }

  /** The server that leads a stream now, if one does. */
  leaderOf(stream: string): SimNatsServer | undefined {
    return this.assets.streams.get(stream)?.group.serving()[0]?.server;
  }

  /** A server that leads a stream in good faith, although another one has gone on without it. */
  outdatedLeader(isMeant: (stream: string) => boolean = () => true): SimNatsServer | undefined {
    for (const [name, { group }] of this.assets.streams) {
      if (!isMeant(name)) continue;
      const leaders = group.serving();
      const lastSeq = Math.max(0, ...leaders.map(each => machineOf(each).store.lastSeq));
      const old = leaders.find(each => machineOf(each).store.lastSeq < lastSeq);
      if (old !== undefined) return old.server;
    }
    return undefined;
  }

  /** The place of the last message of a subject, where a stream is led; 0 for none. */
  lastOf(stream: string, subject: string): number {
    const [leader] = this.assets.streams.get(stream)?.group.serving() ?? [];
    return leader === undefined ? 0 : (machineOf(leader).store.last(subject)?.seq ?? 0);
  }

  /** Takes back the newest writes of a stream on every replica, although they were acknowledged. */
  regress(stream: string, count: number): number {
    const group = this.assets.streams.get(stream)?.group;
    if (group === undefined) return 0;
    return Math.max(0, ...group.replicas.map(replica => group.forget(replica, count)));
  }

  /** Flips a bit of the last message of a subject, on every replica: at a text, or at its end. */
  damage(stream: string, { subject, text = '' }: { subject: string; text?: string }): boolean {
    const replicas = this.assets.streams.get(stream)?.group.replicas ?? [];
    const hit = new Set<Uint8Array>();
    for (const replica of replicas) {
      const payload = machineOf(replica).store.last(subject)?.payload;
      // Replicas share what they hold: one flip is enough.
      if (payload === undefined || hit.has(payload)) continue;
      const at = text === '' ? payload.length - 1 : Buffer.from(payload).indexOf(text);
      if (at < 0) continue;
      payload[at] = (payload[at] ?? 0) ^ 1;
      hit.add(payload);
    }
    return hit.size > 0;
  }

  #cutClients(server: SimNatsServer): void {
    this.#cutOff.set(server, this.net.nowMs);
    for (const socket of this.#socketsOf(server)) this.#cutSocket(socket);
  }

  #cutSocket(socket: SimNatsSocket): void {
    const { low, high } = serverNoticesMs[this.#options.pings ?? 'short'];
    const noticed = this.#luck.between(clientNoticesMs.low, clientNoticesMs.high);
    socket.cut(noticed, this.#luck.between(low, high));
  }

  /** What was held comes late, the later the longer it was held. */
  #healSockets(sockets: readonly SimNatsSocket[], sinceMs: number): void {
    const cutMs = this.net.nowMs - sinceMs;
    for (const socket of sockets) socket.heal(this.#luck.between(0, Math.min(lateMsMax, cutMs)));
  }

  #socketsOf(server: SimNatsServer): SimNatsSocket[] {
    return this.#sockets.filter(each => each.server === server);
  }

  /** What was not flushed is gone; how much that is differs from stream to stream. */
  #forget(server: SimNatsServer): void {
    for (const { group } of this.assets.streams.values()) {
      const replica = group.replicas.find(each => each.server === server);
      if (replica !== undefined) group.forget(replica, this.#luck.below(forgottenMax + 1));
    }
  }

  #count(kind: NatsRequestFault | string): void {
    this.#options.onFault?.(kind.startsWith('nats-') ? kind : `nats-${kind}`);
  }
}
