/**
 * A stream of the model: its configuration, its replicas, and what its leader knows beside them.
 * Publishing, reading and the API are in files of their own.
 */
import { simEpochMs } from './sim-clock.ts';
import type { SimNatsStreamConfig } from './sim-nats-config.ts';
import { SimNatsGroup, type SimNatsTimes } from './sim-nats-group.ts';
import { StreamMachine, type StreamOp, type StreamResult } from './sim-nats-machine.ts';
import type { NatsMeeting } from './sim-nats-met.ts';
import type { SimNatsNet, SimNatsServer } from './sim-nats-net.ts';
import type { SimNatsReplica } from './sim-nats-replica.ts';
import type { SimNatsStore } from './sim-nats-store.ts';
import type { SimNatsSwitches } from './sim-nats-switches.ts';
import { isAtLeast, type NatsVersion } from './sim-nats-version.ts';
import type { SimRandom } from './sim-random.ts';

/** A replica of a stream. */
export type StreamReplica = SimNatsReplica<StreamOp, StreamResult>;

/** What all streams of a cluster share. */
export interface SimNatsHome {
  readonly net: SimNatsNet;
  readonly random: SimRandom;
  readonly version: NatsVersion;
  readonly switches: SimNatsSwitches;
  /** Whether the servers form a cluster: one alone answers some things otherwise. */
  readonly isClustered: boolean;
  /** Counts what clients meet. */
  met(what: NatsMeeting): void;
}

/** Somebody who reads a stream at one of its replicas, and is sent what comes. */
export interface SimNatsReader {
  readonly name: string;
  readonly replica: StreamReplica;
  readonly createdMs: number;
  /** Its configuration, as a server shows it. */
  readonly shown: object;
  /** How many messages wait for it. */
  readonly pending: number;
  readonly delivered: { readonly consumer_seq: number; readonly stream_seq: number };
  readonly isAlive: boolean;
  /** Sends what there is. */
  deliver(): void;
  close(): void;
}

/** What is in flight at a leader, in the term that it leads. */
export interface InFlight {
  readonly term: number;
  readonly subjects: Map<string, number>;
  readonly messageIds: Set<string>;
}

/** A stream. */
export class SimNatsStream {
  config: SimNatsStreamConfig;
  readonly createdMs: number;
  readonly home: SimNatsHome;
  readonly group: SimNatsGroup<StreamOp, StreamResult>;
  readonly consumers: Map<string, SimNatsReader> = new Map();
  readonly #inFlight = new Map<StreamReplica, InFlight>();

  constructor(home: SimNatsHome, config: SimNatsStreamConfig, servers: readonly SimNatsServer[]) {
    this.home = home;
    this.config = config;
    this.createdMs = home.net.nowMs;
    this.group = new SimNatsGroup<StreamOp, StreamResult>({
      net: home.net,
      random: home.random.fork(`stream/${config.name}`),
      times: timesOf(home.version),
      servers,
      machine: () => new StreamMachine(() => this.config),
      onApplied: replica => this.#applied(replica),
      onElected: () => home.met('election'),
    });
  }

  /** What is in flight at a leader. */
  inFlightAt(leader: StreamReplica): InFlight {
    const known = this.#inFlight.get(leader);
    if (known?.term === leader.term) return known;
    const fresh = { term: leader.term, subjects: new Map(), messageIds: new Set<string>() };
    this.#inFlight.set(leader, fresh);
    return fresh;
  }

  /** Lets it be as if it had never been. */
  close(): void {
    this.group.close();
    for (const consumer of this.consumers.values()) consumer.close();
    this.consumers.clear();
  }

  #applied(replica: StreamReplica): void {
    for (const consumer of this.consumers.values()) {
      if (consumer.replica === replica) consumer.deliver();
    }
  }
}

/** The state of a replica. */
export function machineOf(replica: StreamReplica): StreamMachine {
  // Every replica of a stream is made with such a machine.
  return replica.machine as StreamMachine;
}

/** Whether another leader has gone beyond this one, which does not know it. */
export function isOutdated({ group }: SimNatsStream, leader: StreamReplica): boolean {
  const { lastSeq } = machineOf(leader).store;
  return group.serving().some(each => machineOf(each).store.lastSeq > lastSeq);
}

/** The messages of a replica, without those that are too old. */
export function storeOf(stream: SimNatsStream, replica: StreamReplica): SimNatsStore {
  const machine = machineOf(replica);
  machine.expire(stream.home.net.nowMs);
  return machine.store;
}

/** How long things take: measured, and read in the server's source. */
export function timesOf(version: NatsVersion): SimNatsTimes {
  const electionMs = { low: 4_000, high: 9_000 };
  return {
    electionMs,
    // Measured 0.2 to 3 s on 2.15.1, 6 to 9.5 s on 2.9.10.
    reelectionMs: isAtLeast(version, '2.11.0') ? { low: 200, high: 3_000 } : electionMs,
    lostQuorumMs: { low: 8_000, high: 11_000 },
  };
}

/** A time of the model as servers write it. */
export function timeText(timeMs: number): string {
  return new Date(simEpochMs + timeMs).toISOString().replace('Z', '000000Z');
}
