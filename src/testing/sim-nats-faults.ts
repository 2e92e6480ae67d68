/**
 * The faults that modelled NATS servers suffer over a run, as data drawn from the seed: servers die
 * and come back, freeze, are cut off from each other or from their clients, and lag. Faults of
 * single requests are on the cluster's switches.
 */
import type { SimNatsCluster } from './sim-nats-cluster.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import type { SimRandom } from './sim-random.ts';

/** Every kind of fault of servers. */
export const natsFaultKinds = [
  'kill',
  'kill-leader',
  'kill-majority',
  'restart-all',
  'pause',
  'cut',
  'cut-leader',
  'cut-with-clients',
  'cut-clients',
  'one-way-cut',
  'lag',
] as const;

/** A kind of fault of servers. */
export type NatsFaultKind = (typeof natsFaultKinds)[number];

/** One fault that will happen. */
export interface SimNatsFault {
  readonly atMs: number;
  readonly kind: NatsFaultKind;
  readonly durationMs: number;
  /** Which server, and, for faults of a leader, of which stream: a share of all there are then. */
  readonly share: number;
}

/** How faults of servers are drawn. */
export interface SimNatsFaultPlan {
  readonly kinds: readonly NatsFaultKind[];
  readonly fromMs: number;
  readonly untilMs: number;
  /** Mean time between faults. */
  readonly gapMs: number;
  /** The longest one. */
  readonly durationMsMax?: number | undefined;
}

const durationMsMin = 100;
const durationMsMaxDefault = 25_000;
const lagMsMax = 5_000;

/** The faults of a run, in order of time. One ends before the next begins, more or less. */
export function drawNatsFaults(random: SimRandom, plan: SimNatsFaultPlan): SimNatsFault[] {
  const { durationMsMax = durationMsMaxDefault } = plan;
  const faults: SimNatsFault[] = [];
  for (let atMs = plan.fromMs; ; ) {
    atMs += random.exponential(plan.gapMs);
    const kind = random.pick(plan.kinds);
    if (atMs >= plan.untilMs || kind === undefined) return faults;
    // Short troubles are as likely as long ones.
    const durationMs = durationMsMin * (durationMsMax / durationMsMin) ** random.next();
    faults.push({ atMs, kind, durationMs, share: random.next() });
  }
}

/** Lets the faults happen. */
export function scheduleNatsFaults(cluster: SimNatsCluster, faults: readonly SimNatsFault[]): void {
  for (const fault of faults) {
    const delayMs = fault.atMs - cluster.scheduler.nowMs;
    later(cluster, delayMs, () => applyNatsFault(cluster, fault));
  }
}

/** Lets one fault happen now, and end when its time is over. */
export function applyNatsFault(cluster: SimNatsCluster, fault: SimNatsFault): void {
  const hit = effects[fault.kind](cluster, targetOf(cluster, fault), fault);
  later(cluster, fault.durationMs, () => {
    for (const server of hit) {
      cluster.heal(server);
      cluster.start(server);
    }
  });
}

/** Lets something happen later, unless all faults end before. */
function later(cluster: SimNatsCluster, delayMs: number, task: () => void): void {
  const { era, scheduler } = cluster;
  scheduler.schedule({
    delayMs,
    kind: 'nats-fault',
    task: () => {
      if (cluster.era === era) task();
    },
  });
}

/** Does it, and says which servers suffer. */
type Effect = (
  cluster: SimNatsCluster,
  server: SimNatsServer,
  fault: SimNatsFault,
) => readonly SimNatsServer[];

const kill: Effect = (cluster, server) => {
  cluster.kill(server);
  return [server];
};

const cut: Effect = (cluster, server) => {
  cluster.isolate(server);
  return [server];
};

const effects: Readonly<Record<NatsFaultKind, Effect>> = {
  kill,
  'kill-leader': kill,
  'kill-majority': (cluster, server) => {
    const hit = cluster.servers.filter(each => each !== server || cluster.servers.length === 1);
    for (const each of hit) cluster.kill(each);
    return hit;
  },
  'restart-all': (cluster, _server, { durationMs }) => {
    // One after the other, as an upgrade does.
    for (const [place, each] of cluster.servers.entries()) {
      later(cluster, place * durationMs, () => {
        cluster.kill(each);
        later(cluster, durationMs / 4, () => cluster.start(each));
      });
    }
    return [];
  },
  pause(cluster, server) {
    cluster.pause(server);
    return [server];
  },
  cut,
  'cut-leader': cut,
  'cut-with-clients': (cluster, server) => {
    cluster.isolate(server, { clients: true });
    return [server];
  },
  'cut-clients': (cluster, server) => {
    cluster.cutClients(server);
    return [server];
  },
  'one-way-cut': (cluster, server) => {
    const other = cluster.servers[(server.place + 1) % cluster.servers.length];
    if (other !== undefined && other !== server) cluster.cutOneWay(server, other);
    return [server];
  },
  lag: (cluster, server, { share }) => {
    cluster.lag(server, lagMsMax * share);
    return [server];
  },
};

/** Leaders are hit more often than by chance, because most goes wrong where they are. */
function targetOf(cluster: SimNatsCluster, { kind, share }: SimNatsFault): SimNatsServer {
  const { servers, assets } = cluster;
  const one = servers[Math.floor(share * servers.length)] as SimNatsServer;
  if (!kind.endsWith('-leader')) return one;
  const names = [...assets.streams.keys()];
  return cluster.leaderOf(names[Math.floor(share * names.length)] ?? '') ?? one;
}
