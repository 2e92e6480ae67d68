/**
 * The agents in memory on this node: found by address in one look-up, made on first use, let go
 * when they were idle for long, or when there are too many.
 */
import type { AgentHost } from '../agent/host.ts';
import type { Implementation } from '../agent/implementation.ts';
import type { MailboxItem } from '../agent/item.ts';
import { TroupeError } from '../core/errors.ts';
import type { Timer } from '../ports/clock.ts';
import { Dispatcher } from './dispatcher.ts';
import { HotList } from './hot-list.ts';
import { LogFloors } from './log-floors.ts';
import { Resident, type ResidentType } from './resident.ts';

/** What the table needs. */
export interface ResidentsOptions {
  readonly host: AgentHost;
  readonly implementations: ReadonlyMap<string, Implementation>;
  /** Bytes of heap in use. */
  memoryBytes(): number;
}

/** How often the table is looked through for idle agents. */
const sweepMs = 5_000;

/** So many agents are looked at, to find the one that was idle longest. */
const sampleSize = 16;

/** So many more are looked at while none is found that may leave. */
const searchMax = 1_024;

/**
 * So many versions of agents that left memory are remembered, to notice a log that lost its end.
 */
const versionsSeenMax = 10_000;

/** So many agents are kept ready to run; the others rest. */
const hotMax = 2_048;

/** The table of agents in memory. */
export class Residents {
  readonly #options: ResidentsOptions;
  readonly #dispatcher: Dispatcher;
  readonly #table = new Map<string, Resident>();
  readonly #versionsSeen = new Map<string, number>();
  readonly #types = new Map<string, ResidentType>();
  readonly #floors: LogFloors;
  readonly #hot = new HotList<Resident>(hotMax);
  #sample: Iterator<Resident> | undefined;
  #timer: Timer | undefined;
  #refusal: TroupeError | undefined;
  #suspension: TroupeError | undefined;

  constructor(options: ResidentsOptions) {
    this.#options = options;
    const { host } = options;
    this.#dispatcher = new Dispatcher(host.clock);
    this.#floors = new LogFloors(host.log);
    const shared = { host, dispatcher: this.#dispatcher, floors: this.#floors };
    const onActive: ResidentType['onActive'] = (resident, error) => this.#onActive(resident, error);
    for (const [type, implementation] of options.implementations) {
      this.#types.set(type, { ...shared, implementation, onActive });
    }
  }

  /** Begins to look for idle agents. */
  start(): void {
    this.#timer = this.#options.host.clock.setTimer(sweepMs, () => this.#sweep());
  }

  /** How many agents are in memory. */
  get count(): number {
    return this.#table.size;
  }

  /** The agent, if it is in memory. */
  get(address: string): Resident | undefined {
    return this.#table.get(address);
  }

  /** All agents in memory. */
  all(): IterableIterator<Resident> {
    return this.#table.values();
  }

  /** Takes a message for an agent whose behaviour this node has. */
  deliver(address: string, item: MailboxItem, isRead: boolean): void {
    const resident = this.#find(address, item);
    if (resident === undefined) return;
    if (isRead) this.#dispatcher.spend(() => resident.read(item));
    else resident.deliver(item);
  }

  /** Takes work of an agent's own; it must be in memory. */
  enqueue(address: string, item: MailboxItem): void {
    const resident = this.#table.get(address);
    if (resident === undefined)
      item.reject(new TroupeError('CANCELLED', { detail: `${address} has left memory` }));
    else resident.enqueue(item);
  }

  /** Wakes an agent, if this node has its behaviour. */
  wake(type: string, key: string): void {
    if (this.#refusal !== undefined) return;
    this.#open(`${type}/${key}`, type)?.wake();
  }

  /** Takes a message back before it is handled. */
  withdraw(address: string, item: MailboxItem): boolean {
    return this.#table.get(address)?.withdraw(item) ?? false;
  }

  /** Lets an agent go, if nothing is lost or cut off by it; returns whether it went. */
  passivate(resident: Resident): boolean {
    if (!resident.isQuiet || resident.isReady) return false;
    const { address, versionSeen } = resident;
    this.#table.delete(address);
    this.#hot.remove(resident);
    if (versionSeen > 0) this.#remember(address, versionSeen);
    this.#floors.keep(address, resident);
    resident.close(new TroupeError('CANCELLED', { detail: `${address} left memory` }));
    this.#options.host.lifecycle('passivated', address);
    return true;
  }

  /** Refuses new messages from now on, and those that were not begun. */
  refuse(error: TroupeError): void {
    this.#refusal = error;
    for (const resident of this.#table.values()) resident.refuse(error);
  }

  /** Refuses whoever comes from now on, and who waits, until it is taken back with nothing. */
  suspend(cause: TroupeError | undefined): void {
    this.#suspension = cause;
    if (cause === undefined) return;
    for (const resident of this.#table.values()) resident.suspend(cause);
  }

  /** Forgets what is known of an agent whose log was changed by others: what waits tries again. */
  forget(address: string): void {
    const resident = this.#table.get(address);
    this.#table.delete(address);
    this.#versionsSeen.delete(address);
    this.#floors.forget(address);
    if (resident === undefined) return;
    this.#hot.remove(resident);
    resident.close(
      new TroupeError('VERSION_CONFLICT', { detail: `the log of ${address} was repaired` }),
    );
  }

  /** Whether nothing is going on. */
  get areQuiet(): boolean {
    for (const resident of this.#table.values()) if (!resident.isAtRest) return false;
    return true;
  }

  /** Lets go of all agents, whatever they do. */
  close(cause: TroupeError): void {
    this.#refusal = cause;
    this.#timer?.cancel();
    this.#dispatcher.close();
    for (const resident of this.#table.values()) resident.close(cause);
    this.#table.clear();
    this.#hot.clear();
  }

  #find(address: string, item: MailboxItem): Resident | undefined {
    const refusal = this.#refusal ?? this.#suspension;
    if (refusal !== undefined) {
      item.reject(refusal);
      return undefined;
    }
    const { caller, type } = item.envelope;
    const resident = this.#table.get(address) ?? this.#open(address, type, caller !== undefined);
    if (resident === undefined) {
      item.reject(
        new TroupeError('OVERLOADED', {
          detail: `this node holds ${this.#table.size} agents and none can leave memory (limits.residentMax)`,
        }),
      );
    }
    return resident;
  }

  /**
   * Agents that are called by agents come in even when there is no room: their callers cannot leave
   * before they have answered.
   */
  #open(address: string, type: string, isInner = false): Resident | undefined {
    const known = this.#table.get(address);
    if (known !== undefined) return known;
    const shared = this.#types.get(type);
    if (shared === undefined || !(this.#makeRoom() || isInner)) return undefined;
    const resident = new Resident(shared, address, this.#versionsSeen.get(address) ?? 0);
    resident.lastUsedAt = shared.host.clock.monotonic();
    this.#versionsSeen.delete(address);
    this.#table.set(address, resident);
    return resident;
  }

  #onActive(resident: Resident, error: TroupeError | undefined): void {
    const { host } = this.#options;
    const { address, isKnown } = resident;
    if (error === undefined) {
      if (resident.activation?.committer !== undefined) this.#hot.add(resident);
      if (!isKnown) host.lifecycle('activated', address);
      resident.isKnown = true;
      return;
    }
    if (this.#table.get(address) === resident) this.#table.delete(address);
    this.#hot.remove(resident);
    // Else the next attempt to load it would take a log that lost its end for a good one.
    if (resident.versionSeen > 0) this.#remember(address, resident.versionSeen);
    resident.close(error);
    if (!quarantining.has(error.code)) {
      host.logger.warn('an agent could not be loaded; it is tried again when it is needed', {
        agent: address,
        code: error.code,
        detail: error.detail,
      });
      host.lifecycle('failed', address, error.code);
      return;
    }
    host.logger.error('an agent could not be loaded', {
      agent: address,
      code: error.code,
      detail: error.detail,
    });
    host.lifecycle('quarantined', address, error.code);
  }

  #makeRoom(): boolean {
    if (this.#table.size < this.#options.host.limits.residentMax) return true;
    const resident = this.#longestIdle();
    return resident !== undefined && this.passivate(resident);
  }

  /** Of a sample, as looking at all would make each new agent dearer the more there are. */
  #longestIdle(): Resident | undefined {
    let found: Resident | undefined;
    for (let count = 0; count < (found === undefined ? searchMax : sampleSize); count += 1) {
      const resident = this.#nextInSample();
      if (resident === undefined) break;
      if (count >= this.#table.size) break;
      const isOlder = found === undefined || resident.lastUsedAt < found.lastUsedAt;
      if (isOlder && resident.isQuiet && !resident.isReady) found = resident;
    }
    return found;
  }

  #nextInSample(): Resident | undefined {
    const next = this.#sample?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#sample = this.#table.values();
    const first = this.#sample.next();
    return first.done === true ? undefined : first.value;
  }

  #sweep(): void {
    const { host, memoryBytes } = this.#options;
    const now = host.clock.monotonic();
    const isTight = memoryBytes() > host.limits.memoryBytesMax;
    this.#hot.restAll(resident => now - resident.lastUsedAt >= sweepMs);
    for (const resident of this.#table.values()) {
      const limits = this.#options.implementations.get(typeOf(resident.address))?.contract.limits;
      const idleMs = isTight ? sweepMs : (limits?.idleMs ?? 0);
      if (now - resident.lastUsedAt >= idleMs) this.passivate(resident);
    }
    this.#timer = host.clock.setTimer(sweepMs, () => this.#sweep());
  }

  #remember(address: string, version: number): void {
    this.#versionsSeen.set(address, version);
    if (this.#versionsSeen.size <= versionsSeenMax) return;
    const [oldest] = this.#versionsSeen.keys();
    if (oldest !== undefined) this.#versionsSeen.delete(oldest);
  }
}

/** After these, an agent is not served before somebody has looked into it. */
const quarantining: ReadonlySet<string> = new Set([
  'LOG_CORRUPT',
  'LOG_REGRESSED',
  'STATE_MISMATCH',
  'ENGINE_UNSUPPORTED',
  'INVARIANT_BROKEN',
]);

function typeOf(address: string): string {
  return address.slice(0, address.indexOf('/'));
}
