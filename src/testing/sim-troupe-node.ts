/**
 * One life of the simulated process: the real node with the real client on it, over the embedded
 * engine on the simulated disk or over the memory engine, which outlives it like a server.
 */
import { resolveNodeLimits } from '../agent/limit-options.ts';
import { textOf } from '../core/errors.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../engines/embedded/log.ts';
import type { RecoveryReport } from '../engines/embedded/recovery.ts';
import { memoryBus } from '../engines/memory/bus.ts';
import type { MemoryLogs } from '../engines/memory/log.ts';
import { type NodeLease, TroupeNode } from '../node/node.ts';
import { sortDefinitions, TroupeHandle } from '../node/troupe.ts';
import type { Bus } from '../ports/bus.ts';
import type { Log } from '../ports/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SimPorts, SimProgram } from './sim-process.ts';
import { cellAgents } from './sim-troupe-cell.ts';
import {
  type CellContract,
  type CellContracts,
  cellContract,
  mothContract,
} from './sim-troupe-contract.ts';
import { appendSent } from './sim-troupe-fault-points.ts';
import type { Notebook, NotebookPages } from './sim-troupe-notes.ts';
import type { TroupePlan } from './sim-troupe-plan.ts';
import type { TroupeServers } from './sim-troupe-servers.ts';
import type { Witness } from './sim-troupe-witness.ts';

/** A running life. */
export interface TroupeProgram extends SimProgram {
  readonly handle: TroupeHandle;
  readonly contracts: CellContracts;
  readonly log: Log;
  readonly incarnation: string;
  /** The wall clock as this process sees it. */
  now(): number;
  /** What opening the embedded engine found. */
  readonly recovery: RecoveryReport | undefined;
}

/** What a life is started in. */
export interface TroupeHabitat {
  readonly plan: TroupePlan;
  readonly memory: MemoryLogs;
  /** The servers of a world whose engine is NATS. */
  readonly servers: TroupeServers | undefined;
  readonly witness: Witness;
  readonly notebook: Notebook;
  /** Whether the life with this number goes on. */
  isAlive(incarnation: number): boolean;
  /** Whether the life with this number has a successor although it goes on. */
  isLeft(incarnation: number): boolean;
  /** The engine of the life with this number failed for good. */
  onFailure(incarnation: number): void;
  /** An agent could not be loaded, or another thing that people have to look at. */
  onAlarm(text: string): void;
}

interface OpenedEngine {
  readonly log: Log;
  readonly epoch: number;
  readonly lineage: string;
  readonly recovery?: RecoveryReport;
  readonly bus?: Bus;
  readonly lease?: NodeLease;
  close?(): Promise<void>;
}

const shardCount = 4;

/** Starts a life. */
export async function bootTroupe(ports: SimPorts, habitat: TroupeHabitat): Promise<TroupeProgram> {
  const { plan, notebook } = habitat;
  const { clock, random, incarnation: life } = ports;
  const contracts = contractsOf(plan, life);
  const engine = await openEngine(ports, habitat);
  const pages = notebook.open(`${ports.name}#${life}`, () => habitat.isAlive(life));
  const notes = notesUnder(engine.lease, pages, () => habitat.isLeft(life));
  const agents = cellAgents(contracts, { clock, random, notes });
  const { types, implementations } = sortDefinitions(agents);
  engine.log.onFailure(() => habitat.onFailure(life));
  const node = new TroupeNode({
    ports: {
      clock,
      random,
      log: engine.log,
      bus: engine.bus ?? memoryBus(clock),
      lease: engine.lease,
      epoch: engine.epoch,
      lineage: engine.lineage,
      logger: loggerOf(habitat),
      memoryBytes: () => (plan.isTight && isTightAt(clock.monotonic()) ? 2 ** 40 : 0),
      onFaultPoint: (name, boundary) => void ports.onFaultPoint(name, boundary),
    },
    types,
    implementations,
    limits: resolveNodeLimits(plan.nodeLimits, 'simulated node'),
    traceRatio: 0.01,
  });
  const opened = { node, close: engine.close ?? (() => engine.log.close()) };
  const handle = new TroupeHandle({ types, drainMs: 1_000, open: async () => opened });
  await handle.start();
  return {
    handle,
    contracts,
    log: engine.log,
    incarnation: node.incarnation,
    now: () => clock.now(),
    recovery: engine.recovery,
    stop: () => handle.stop(),
  };
}

/**
 * What lives in memory only takes effect while the node's lease is held, and else is undone. A life
 * that has lost its place without having noticed may compute for a while: that is not promised.
 */
function notesUnder(
  lease: NodeLease | undefined,
  pages: NotebookPages,
  isLeft: () => boolean,
): NotebookPages {
  if (lease === undefined) return pages;
  return {
    ...pages,
    step: (kind, step) => {
      pages.step(kind, step, isLeft() && !lease.isHeld);
    },
    moth: note => {
      if (lease.isHeld) pages.moth(note);
    },
  };
}

/** Memory is short for half a minute in every minute. */
function isTightAt(ms: number): boolean {
  return ms % 60_000 < 30_000;
}

/** Lives from the ones that the plan names on run newer code. */
function contractsOf(plan: TroupePlan, life: number): CellContracts {
  const stateVersion = 1 + plan.upgrades.filter(upgrade => life >= upgrade).length;
  return {
    cell: cellContract('cell', stateVersion, plan.typeLimits),
    mayfly: cellContract('mayfly', stateVersion, plan.typeLimits),
    // Who asks a moth for more than it knows has made a mistake: the type says less than it could.
    moth: mothContract(plan.mothLimits) as unknown as CellContract,
  };
}

async function openEngine(ports: SimPorts, habitat: TroupeHabitat): Promise<OpenedEngine> {
  const { plan, memory, servers, witness } = habitat;
  if (servers !== undefined) {
    const { log, bus, lease, epoch, close } = await servers.open(ports);
    const watched = mayDieWaiting(witness.watch(log), ports);
    return { log: watched, bus, lease, close, epoch, lineage: 'simulated' };
  }
  if (plan.engine === 'memory') {
    const log = ports.remote(witness.watch(memory.open()), ['onFailure']);
    return { log: mayDieWaiting(log, ports), epoch: ports.incarnation, lineage: 'simulated' };
  }
  const { disk, random, onFaultPoint } = ports;
  const limits = plan.storeLimits;
  const opened = await openEmbeddedLog({ disk, random, onFaultPoint, limits, shardCount });
  const { epoch, lineage, recovery } = opened;
  const watched = witness.watch(opened);
  const log = plan.isRemote ? ports.remote<EmbeddedLog>(watched, ['onFailure']) : watched;
  return { log, epoch, lineage, recovery };
}

/** The log of an engine outside, whose user may die between an append and its answer. */
function mayDieWaiting(log: Log, { onFaultPoint }: SimPorts): Log {
  const append: Log['append'] = async (...request) => {
    const answer = log.append(...request);
    await onFaultPoint(appendSent, 'ambiguous');
    return answer;
  };
  return new Proxy(log, {
    get: (target, name) => (name === 'append' ? append : Reflect.get(target, name)),
  });
}

function loggerOf({ onAlarm }: TroupeHabitat): Logger {
  const ignore = () => undefined;
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message, data) =>
      onAlarm(`${message} ${data === undefined ? '' : textOf(JSON.stringify(data))}`),
  };
}
