/**
 * A network of hosts on this machine, each in a namespace of its own, whose connections can be cut
 * in silence: packets vanish, no connection is reset. A host that is cut off from another is given
 * a wrong hardware address of it, so that nothing but `ip` is needed. Only root may do this.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** The network; whoever opened it closes it. */
export interface CutNetwork extends Disposable {
  addressOf(host: string): string;
  /** What a command begins with that runs on a host. */
  enter(host: string): readonly string[];
  /** Cuts pairs of hosts off from each other, both ways. */
  cut(pairs: readonly (readonly [string, string])[]): void;
  /** Takes back all cuts. */
  heal(): void;
  close(): void;
}

const prefix = 'tpcut';
const nowhere = '02:00:00:00:00:01';
const device = 'eth0';
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Why there can be no network here; nothing when there can. */
export function whyNoNetwork(): string | undefined {
  const remedy = 'run it as root on Linux, with `ip` of iproute2';
  if (process.getuid?.() !== 0) return `only root may make network namespaces: ${remedy}`;
  const name = `${prefix}-${process.pid}-try`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.status !== 0) {
    return `no network namespace can be made here (${made.error ?? made.stderr.trim()}): ${remedy}`;
  }
  spawnSync('ip', ['netns', 'del', name]);
  return undefined;
}

/** Opens a network of hosts, all of which reach each other. */
export function openNetwork(hosts: readonly string[]): CutNetwork {
  removeLeftovers();
  const mark = `${prefix}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const network = new Network(mark, hosts);
  try {
    network.open();
    return network;
  } catch (error) {
    network.close();
    throw error;
  }
}

class Network implements CutNetwork {
  readonly #mark: string;
  readonly #hosts: readonly string[];
  #cuts: (readonly [string, string])[] = [];
  readonly #remove = () => this.close();
  readonly #die = (signal: NodeJS.Signals) => {
    this.close();
    process.kill(process.pid, signal);
  };

  constructor(mark: string, hosts: readonly string[]) {
    this.#mark = mark;
    this.#hosts = hosts;
  }

  open(): void {
    process.once('exit', this.#remove);
    for (const signal of signals) process.once(signal, this.#die);
    const switchboard = this.#spaceOf('switch');
    ip(`netns add ${switchboard}`);
    ip(`-n ${switchboard} link add br0 type bridge`, `-n ${switchboard} link set br0 up`);
    for (const host of this.#hosts) {
      const space = this.#spaceOf(host);
      ip(`netns add ${space}`);
      ip(
        `link add ${device} netns ${space} type veth peer name ${host} netns ${switchboard}`,
        `-n ${switchboard} link set dev ${host} master br0`,
        `-n ${switchboard} link set dev ${host} up`,
        `-n ${space} addr add ${this.addressOf(host)}/24 dev ${device}`,
        `-n ${space} link set dev ${device} up`,
        `-n ${space} link set dev lo up`,
      );
    }
  }

  addressOf(host: string): string {
    return `10.77.0.${this.#hosts.indexOf(host) + 1}`;
  }

  enter(host: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.#spaceOf(host)];
  }

  cut(pairs: readonly (readonly [string, string])[]): void {
    for (const [one, other] of bothWays(pairs)) {
      const address = this.addressOf(other);
      const entry = `${address} lladdr ${nowhere} dev ${device} nud permanent`;
      ip(`-n ${this.#spaceOf(one)} neigh replace ${entry}`);
    }
    this.#cuts.push(...pairs);
  }

  heal(): void {
    for (const [one, other] of bothWays(this.#cuts)) {
      ip(`-n ${this.#spaceOf(one)} neigh del ${this.addressOf(other)} dev ${device}`);
    }
    this.#cuts = [];
  }

  close(): void {
    process.off('exit', this.#remove);
    for (const signal of signals) process.off(signal, this.#die);
    for (const name of spaces().filter(each => each.startsWith(this.#mark))) remove(name);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #spaceOf(host: string): string {
    return `${this.#mark}-${host}`;
  }
}

function bothWays(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return pairs.flatMap(([one, other]) => [[one, other] as const, [other, one] as const]);
}

/** Removes what a process left behind that was killed before it could. */
function removeLeftovers(): void {
  for (const name of spaces()) {
    const [mark, pid] = name.split('-');
    if (mark === prefix && !isAlive(Number(pid))) remove(name);
  }
}

/** Ends what runs on a host, all of it ours, and removes it. */
function remove(name: string): void {
  const running = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout ?? '';
  for (const pid of running.split('\n').filter(line => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile, which is what was wanted.
    }
  }
  spawnSync('ip', ['netns', 'del', name]);
}

function spaces(): readonly string[] {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  return listed.split('\n').map(line => line.split(' ')[0] ?? '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ip(...commands: readonly string[]): void {
  for (const command of commands) {
    const { status, stderr, error } = spawnSync('ip', command.split(' '), { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${command}: ${error ?? stderr.trim()}`);
  }
}
