/** The real servers that the laws are checked on: each set is started once, when it is needed. */
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';

/** Which servers, how many replicas each stream has, and what to call it. */
export interface NatsSetting {
  readonly name: string;
  readonly release: 'newest' | '2.9.10';
  readonly replicas: 1 | 3;
}

/** The settings in which the laws are checked. */
export const natsSettings: readonly NatsSetting[] = [
  { name: 'nats newest R1', release: 'newest', replicas: 1 },
  { name: 'nats newest R3', release: 'newest', replicas: 3 },
  { name: 'nats 2.9.10 R1', release: '2.9.10', replicas: 1 },
];

const running = new Map<string, Promise<NatsServers>>();
let clusters = 0;

/** The servers of a setting. They run until {@link closeLawServers}. */
export function lawServers({ name, release, replicas }: NatsSetting): Promise<NatsServers> {
  const known = running.get(name);
  if (known !== undefined) return known;
  const starting = natsServers({ release, count: replicas });
  running.set(name, starting);
  return starting;
}

/** A name of a cluster that nobody used before. */
export function freshCluster(): string {
  clusters += 1;
  return `law${clusters}`;
}

/** Ends all servers. */
export async function closeLawServers(): Promise<void> {
  const all = [...running.values()];
  running.clear();
  await Promise.all(all.map(async starting => (await starting).close()));
}
