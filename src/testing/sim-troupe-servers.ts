/**
 * The servers that a simulated world stands on when its engine is NATS: how many, of which version
 * and how set up, and what goes wrong with them. The node reaches them as it would real ones.
 */
import type { Lease } from '../cluster/lease.ts';
import { claimLease } from '../cluster/lease-claim.ts';
import { leaseSpanMsDefault } from '../cluster/lease-time.ts';
import { takeShards } from '../cluster/placement.ts';
import { openNatsBus } from '../engines/nats/bus.ts';
import { openNatsKeyValue } from '../engines/nats/key-value.ts';
import { bucketConfig } from '../engines/nats/key-value-entry.ts';
import { openNatsLog } from '../engines/nats/log.ts';
import { placeOf } from '../engines/nats/log-subjects.ts';
import { ensureStream } from '../engines/nats/streams.ts';
import { leasedLog } from '../node/leased-log.ts';
import { leaveSilentServers } from '../node/silent-server.ts';
import type { Bus } from '../ports/bus.ts';
import type { Log } from '../ports/log.ts';
import type { SimOwner } from './sim-event-heap.ts';
import { drawSwarm } from './sim-faults.ts';
import { connectSimNats } from './sim-nats-client.ts';
import { SimNatsCluster } from './sim-nats-cluster.ts';
import {
  drawNatsFaults,
  type NatsFaultKind,
  natsFaultKinds,
  scheduleNatsFaults,
} from './sim-nats-faults.ts';
import { natsMeetings } from './sim-nats-met.ts';
import type { SimNatsPings, SimNatsServer } from './sim-nats-net.ts';
import { type NatsRequestFault, natsReadFaults, natsWriteFaults } from './sim-nats-switches.ts';
import type { SimPorts, SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import { type NodeTroublePlan, NodeTroubles, nodeTroubleKinds } from './sim-troupe-troubles.ts';
import type { SimWorld } from './sim-world.ts';

/** What differs from one world's servers to the next. */
export interface TroupeServersPlan {
  readonly servers: 1 | 3;
  readonly version: string;
  readonly pings: SimNatsPings;
  readonly streamCount: number;
  /** Faults of single requests, by rate. */
  readonly requestFaults: ReadonlyMap<NatsRequestFault, number>;
  readonly faultKinds: readonly NatsFaultKind[];
  /** Mean time between faults of servers. */
  readonly faultGapMs: number;
  /** What befalls the node as a whole. */
  readonly troubles: NodeTroublePlan;
}

/** What a node opens on the servers. */
export interface TroupeServersEngine {
  readonly log: Log;
  readonly bus: Bus;
  readonly lease: Lease;
  readonly epoch: number;
  close(): Promise<void>;
}

const cluster = 'sim';
const bucket = `tp_${cluster}`;
const logPrefix = `tp_${cluster}_log_`;
const shardCount = 8;
/** More writes of other logs behind the one that is to be forgotten are not looked through. */
const forgottenMax = 48;
const aloneVersions = ['2.15.1', '2.15.1', '2.10.27', '2.9.10'] as const;
const togetherVersions = ['2.15.1', '2.15.1', '2.10.27'] as const;
/** How often it is looked whether there are two leaders, and how likely that is made use of. */
const lookMs = 250;
const strikeProbability = 0.5;
const lureProbability = 0.8;
const lureMs = 10;
/** When it is looked at all agents after the node was led to an old leader. */
const lookAroundMs = [60, 400] as const;
const requestFaults = [...natsWriteFaults, ...natsReadFaults];
const aloneKinds = natsFaultKinds.filter(each =>
  ['kill', 'pause', 'cut-clients', 'restart-all'].includes(each),
);

/** Every kind of fault that some world on these servers meets. */
export const natsTroupeFaults: readonly string[] = [
  ...requestFaults.map(each => `nats-${each}`),
  ...['nats-kill', 'nats-pause', 'nats-cut', 'nats-client-cut', 'nats-one-way-cut', 'nats-lag'],
  ...['nats-lure', ...nodeTroubleKinds],
];

/** Everything that some world on these servers should meet beside. */
export const natsTroupeMeetings: readonly string[] = [
  ...natsMeetings,
  ...['lease-lapsed', 'lease-lost', 'lease-waited-out', 'lease-refused', 'server-left'],
];

/** Draws the servers of a world. */
export function drawServersPlan(random: SimRandom): TroupeServersPlan {
  const servers = random.chance(0.6) ? 3 : 1;
  const kinds = drawSwarm(random, servers === 3 ? natsFaultKinds : aloneKinds);
  const versions = servers === 3 ? togetherVersions : aloneVersions;
  return {
    servers,
    version: random.pick(versions) ?? versions[0],
    pings: random.chance(0.7) ? 'short' : 'default',
    streamCount: 1 + random.below(4),
    requestFaults: new Map(
      drawSwarm(random, requestFaults).map(kind => [kind, random.between(0.001, 0.01)]),
    ),
    faultKinds: kinds,
    faultGapMs: random.between(45_000, 90_000),
    troubles: {
      kinds: drawSwarm(random, nodeTroubleKinds),
      gapMs: random.between(120_000, 300_000),
    },
  };
}

/** What the servers of a world are made of. */
export interface TroupeServersOptions {
  readonly world: SimWorld;
  readonly random: SimRandom;
}

/** The servers of a world. */
export class TroupeServers {
  readonly plan: TroupeServersPlan;
  readonly cluster: SimNatsCluster;
  readonly troubles: NodeTroubles;
  readonly #random: SimRandom;
  readonly #world: SimWorld;
  #owner: SimOwner | undefined;
  /** The machine that lives begin on now. */
  #home = 1;
  #luring: SimNatsServer | undefined;
  #lookAround: () => void = () => undefined;

  constructor({ world, random }: TroupeServersOptions) {
    const { scheduler } = world;
    this.#world = world;
    this.plan = drawServersPlan(random.fork('plan'));
    this.#random = random;
    const { servers, version, pings } = this.plan;
    this.cluster = new SimNatsCluster({
      scheduler,
      random: random.fork('servers'),
      servers,
      version,
      pings,
      onFault: kind => world.countFault(kind),
      onMet: what => world.countMet(what),
    });
    this.troubles = new NodeTroubles({
      world,
      cluster: this.cluster,
      random: random.fork('troubles'),
      plan: this.plan.troubles,
      node: () => this.#node,
      owner: () => this.#owner,
      moveOut: () => {
        this.#home++;
      },
      lookAround: () => this.#lookAround(),
    });
  }

  /** Calls back when a look at all agents may show what is old. */
  onDoubt(lookAround: () => void): void {
    this.#lookAround = lookAround;
  }

  /** Connects a node, takes its place in the cluster, and opens its log and bus. */
  async open({ clock, random, owner, name, incarnation }: SimPorts): Promise<TroupeServersEngine> {
    const { servers: replicas, streamCount } = this.plan;
    this.#owner = owner;
    const client = await connectSimNats({ cluster: this.cluster, clock, owner });
    await ensureStream({ client, clock, random }, bucketConfig(bucket, replicas));
    const keyValue = openNatsKeyValue({ client, clock, random, bucket });
    const holder = `${name}#${incarnation}`;
    const lease = await this.#claim({ keyValue, clock, holder, incarnation, key: `nodes/${name}` });
    const leave = () => {
      this.#world.countMet('server-left');
      this.cluster.resetOwner(owner);
    };
    const stopLeaving = leaveSilentServers({ lease, clock, leave });
    const ended = async () => undefined;
    const { epoch } = await takeShards({ keyValue, clock, node: name, holder, ended });
    const layout = { cluster, replicas, streamCount, shardCount };
    const log = await openNatsLog({ client, clock, random, isFlushed: true, ...layout });
    const bus = openNatsBus({ client, clock, prefix: `tp.${cluster}.bus` });
    const close = async () => {
      stopLeaving();
      await log.close();
      await Promise.all([lease.release(), bus.close()]);
      await keyValue.close();
      await client.close();
    };
    return { log: leasedLog(log, lease, `the simulated ${name}`), bus, lease, epoch, close };
  }

  /** Lets faults happen until a time. */
  suffer(fromMs: number, untilMs: number): void {
    const { requestFaults: rates, faultKinds: kinds, faultGapMs: gapMs } = this.plan;
    for (const [kind, rate] of rates) this.cluster.switches.rate(kind, rate);
    const random = this.#random.fork('faults');
    const drawn = drawNatsFaults(random, { kinds, fromMs, untilMs, gapMs });
    scheduleNatsFaults(this.cluster, drawn);
    this.troubles.begin(untilMs);
    this.#strikeWhenSplit(random, untilMs);
  }

  /** Ends all faults. */
  heal(): void {
    this.troubles.heal();
    this.cluster.healAll();
  }

  /** Makes the servers forget the newest messages of a log, and what lies behind them. */
  regress(name: string, count: number): void {
    const { stream, subject } = this.#placeOf(name);
    let left = count;
    for (let round = 0; round < forgottenMax && left > 0; round++) {
      const before = this.cluster.lastOf(stream, subject);
      if (this.cluster.regress(stream, 1) === 0) return;
      if (this.cluster.lastOf(stream, subject) !== before) left--;
    }
  }

  /** Flips a bit of the newest message of a log. */
  damage(name: string): void {
    const { stream, subject } = this.#placeOf(name);
    this.cluster.damage(stream, { subject });
  }

  /** Claims the lease of the node, knowing that the lives before on the same machine are over. */
  async #claim(options: Parameters<typeof claimLease>[0]): Promise<Lease> {
    const { clock, incarnation } = options;
    const home = this.#home;
    const startedMs = clock.monotonic();
    const lease = await claimLease({
      ...options,
      details: { home },
      isProvenDead: previous => {
        // Every life of this world says where it is.
        const { home: before } = previous.details as { readonly home: number };
        return before === home && previous.incarnation < incarnation;
      },
    });
    const world = this.#world;
    if (clock.monotonic() - startedMs >= leaseSpanMsDefault) world.countMet('lease-waited-out');
    lease.onState(state => {
      if (state === 'lapsed' || state === 'lost') world.countMet(`lease-${state}`);
    });
    return lease;
  }

  /**
   * Kills the node when an old leader that is cut off still answers although a new one has taken
   * writes: the next life may meet the old one first, and must not believe it.
   */
  #strikeWhenSplit(random: SimRandom, untilMs: number): void {
    const { scheduler } = this.cluster;
    if (scheduler.nowMs > untilMs) return;
    const ofLogs = this.cluster.outdatedLeader(name => name.startsWith(logPrefix));
    const old = ofLogs ?? this.cluster.outdatedLeader();
    const isStruck = random.chance(strikeProbability);
    const isLured = random.chance(lureProbability);
    if (this.#luring !== old) this.#luring = undefined;
    if (this.#luring === undefined) this.cluster.dialFirst = old;
    if (old !== undefined && isStruck && this.#luring === undefined) {
      this.#world.crash(this.#node, 'kill');
      if (isLured && old === ofLogs) this.#lure(old);
    }
    scheduler.schedule({
      delayMs: lookMs,
      kind: 'nemesis',
      task: () => this.#strikeWhenSplit(random, untilMs),
    });
  }

  /**
   * Where the old leader is nobody gets a lease. So the node starts with the others, has its lease,
   * and only then loses its connection and finds the old leader, before it has read a log.
   */
  #lure(old: SimNatsServer): void {
    const { cluster } = this;
    this.#luring = old;
    cluster.dialFirst = cluster.servers.find(each => each !== old && cluster.canEnter(each));
    const look = () => {
      if (this.#luring !== old) return;
      const { program } = this.#node;
      if (program === undefined || this.#owner === undefined) {
        cluster.scheduler.schedule({ delayMs: lureMs, kind: 'nemesis', task: look });
        return;
      }
      this.#world.countFault('nats-lure');
      cluster.dialFirst = old;
      cluster.resetOwner(this.#owner);
      for (const delayMs of lookAroundMs) {
        cluster.scheduler.schedule({ delayMs, kind: 'nemesis', task: () => this.#lookAround() });
      }
    };
    look();
  }

  /** The only process of a world on servers. */
  get #node(): SimProcess {
    // It is added before anything happens.
    return this.#world.processes[0] as SimProcess;
  }

  #placeOf(name: string) {
    return placeOf({ cluster, shardCount, streamCount: this.plan.streamCount }, name);
  }
}
