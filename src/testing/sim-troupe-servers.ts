/**
 * The servers that a simulated world stands on when its engine is NATS: how many, of which version
 * and how set up, and what goes wrong with them. The node reaches them as it would real ones.
 */
import type { Lease } from '../cluster/lease.ts';
import { claimLease } from '../cluster/lease-claim.ts';
import { takeShards } from '../cluster/placement.ts';
import { openNatsBus } from '../engines/nats/bus.ts';
import { openNatsKeyValue } from '../engines/nats/key-value.ts';
import { bucketConfig } from '../engines/nats/key-value-entry.ts';
import { openNatsLog } from '../engines/nats/log.ts';
import { placeOf } from '../engines/nats/log-subjects.ts';
import { ensureStream } from '../engines/nats/streams.ts';
import { leasedLog } from '../node/leased-log.ts';
import type { Bus } from '../ports/bus.ts';
import type { Log } from '../ports/log.ts';
import { drawSwarm } from './sim-faults.ts';
import { connectSimNats } from './sim-nats-client.ts';
import { SimNatsCluster } from './sim-nats-cluster.ts';
import {
  drawNatsFaults,
  type NatsFaultKind,
  natsFaultKinds,
  scheduleNatsFaults,
} from './sim-nats-faults.ts';
import type { SimNatsPings } from './sim-nats-net.ts';
import { type NatsRequestFault, natsReadFaults, natsWriteFaults } from './sim-nats-switches.ts';
import type { SimPorts } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

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
const shardCount = 8;
/** More writes of other logs behind the one that is to be forgotten are not looked through. */
const forgottenMax = 48;
const aloneVersions = ['2.15.1', '2.15.1', '2.10.27', '2.9.10'] as const;
const togetherVersions = ['2.15.1', '2.15.1', '2.10.27'] as const;
/** How often it is looked whether there are two leaders, and how likely that is made use of. */
const lookMs = 250;
const strikeProbability = 0.5;
const requestFaults = [...natsWriteFaults, ...natsReadFaults];
/** These befall only messages with ids, which an engine that knows of them does not send. */
const faultsOfIds: readonly NatsRequestFault[] = ['false-duplicate', 'duplicate-in-process'];
const aloneKinds = natsFaultKinds.filter(each =>
  ['kill', 'pause', 'cut-clients', 'restart-all'].includes(each),
);

/** Every kind of fault that some world on these servers meets. */
export const natsTroupeFaults: readonly string[] = [
  ...requestFaults.filter(each => !faultsOfIds.includes(each)).map(each => `nats-${each}`),
  ...['nats-kill', 'nats-pause', 'nats-cut', 'nats-client-cut', 'nats-one-way-cut', 'nats-lag'],
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
  };
}

/** What the servers of a world are made of. */
export interface TroupeServersOptions {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly onFault: (kind: string) => void;
  /** Kills the node. */
  readonly killNode: () => void;
}

/** The servers of a world. */
export class TroupeServers {
  readonly plan: TroupeServersPlan;
  readonly cluster: SimNatsCluster;
  readonly #random: SimRandom;
  readonly #killNode: () => void;

  constructor({ scheduler, random, onFault, killNode }: TroupeServersOptions) {
    this.#killNode = killNode;
    this.plan = drawServersPlan(random.fork('plan'));
    this.#random = random;
    const { servers, version, pings } = this.plan;
    this.cluster = new SimNatsCluster({
      scheduler,
      random: random.fork('servers'),
      servers,
      version,
      pings,
      onFault,
    });
  }

  /** Connects a node, takes its place in the cluster, and opens its log and bus. */
  async open({ clock, random, owner, name, incarnation }: SimPorts): Promise<TroupeServersEngine> {
    const { servers: replicas, streamCount } = this.plan;
    const client = await connectSimNats({ cluster: this.cluster, clock, owner });
    await ensureStream({ client, clock, random }, bucketConfig(bucket, replicas));
    const keyValue = openNatsKeyValue({ client, clock, random, bucket });
    const holder = `${name}#${incarnation}`;
    const lease = await claimLease({
      keyValue,
      clock,
      holder,
      incarnation,
      key: `nodes/${name}`,
      // One machine: whoever starts there knows that the lives before are over.
      isProvenDead: previous => previous.incarnation < incarnation,
    });
    const ended = async () => undefined;
    const { epoch } = await takeShards({ keyValue, clock, node: name, holder, ended });
    const layout = { cluster, replicas, streamCount, shardCount };
    const log = await openNatsLog({ client, clock, random, isFlushed: true, ...layout });
    const bus = openNatsBus({ client, clock, prefix: `tp.${cluster}.bus` });
    const close = async () => {
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
    this.#strikeWhenSplit(random, untilMs);
  }

  /** Ends all faults. */
  heal(): void {
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

  /**
   * Kills the node when an old leader that is cut off still answers although a new one has taken
   * writes: the next life may meet the old one first, and must not believe it.
   */
  #strikeWhenSplit(random: SimRandom, untilMs: number): void {
    const { scheduler } = this.cluster;
    if (scheduler.nowMs > untilMs) return;
    const old = this.cluster.outdatedLeader();
    const isStruck = random.chance(strikeProbability);
    this.cluster.dialFirst = old;
    if (old !== undefined && isStruck) this.#killNode();
    scheduler.schedule({
      delayMs: lookMs,
      kind: 'nemesis',
      task: () => this.#strikeWhenSplit(random, untilMs),
    });
  }

  #placeOf(name: string) {
    return placeOf({ cluster, shardCount, streamCount: this.plan.streamCount }, name);
  }
}
