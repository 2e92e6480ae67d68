/**
 * A node: one of everything, connected. It stands on ports alone, so that the simulator builds the
 * same node on its own clock, disk and log.
 */
import type { Contract } from '../agent/contract.ts';
import type { AgentHost, FaultBoundary, LifecycleKind } from '../agent/host.ts';
import type { Implementation } from '../agent/implementation.ts';
import type { NodeLimits } from '../agent/limit-options.ts';
import { leaseLapsed, mayAnswer } from '../agent/may-answer.ts';
import { EventHub } from '../client/event-hub.ts';
import type { ClientKernel } from '../client/kernel.ts';
import type { Lease, OwnLeaseState } from '../cluster/lease.ts';
import { parseAddress } from '../core/address.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { Delivery } from '../delivery/delivery.ts';
import { WakeSchedule } from '../lifecycle/wake-schedule.ts';
import { Residents } from '../mailbox/residents.ts';
import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import { type KnownType, Router } from '../routing/router.ts';
import { encodeValue } from '../state/codec.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Tracer } from '../telemetry/spans.ts';
import { NodeMetrics } from './node-metrics.ts';

/** What a node stands on. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bus: Bus;
  /** Raised with each opening of the data. */
  readonly epoch: number;
  /** Names the history that the data belong to. */
  readonly lineage: string;
  readonly logger: Logger;
  /** What lets this node answer; nothing where a lock keeps all others out. */
  readonly lease?: NodeLease | undefined;
  /** Names this life of the process (default: drawn). */
  readonly incarnation?: string | undefined;
  /** Bytes of heap in use. */
  memoryBytes(): number;
  /** Where the simulator may stop the process. */
  readonly onFaultPoint?: ((name: string, boundary: FaultBoundary) => void) | undefined;
}

/** The lease of a node: lost is for good, and then the log says that it failed. */
export type NodeLease = Pick<Lease, 'isHeld' | 'onState'>;

/** What a node is made of. */
export interface NodeOptions {
  readonly ports: NodePorts;
  readonly types: ReadonlyMap<string, KnownType>;
  readonly implementations: ReadonlyMap<string, Implementation>;
  readonly limits: NodeLimits;
  readonly traceRatio: number | undefined;
}

/** Between looks at whether a stopping node has come to rest. */
const drainStepMs = 20;

/** What was begun when the engine failed gets so long to hear of its end. */
const failureDrainMs = 1_000;

/** A node that runs. */
export class TroupeNode {
  readonly kernel: ClientKernel;
  readonly metrics: NodeMetrics;
  readonly tracer: Tracer;
  readonly incarnation: string;
  readonly residents: Residents;
  readonly #options: NodeOptions;
  readonly #delivery: Delivery;
  readonly #wakes: WakeSchedule;
  readonly #host: AgentHost;
  #ids = 0;
  readonly #idPrefix: string;

  constructor(options: NodeOptions) {
    const { ports, limits, types } = options;
    const { clock, random, log, bus, logger } = ports;
    this.#options = options;
    this.incarnation = ports.incarnation ?? random.hex(6);
    this.#idPrefix = `${this.incarnation}-`;
    this.tracer = new Tracer({ seed: random.hex(16), sampleShare: options.traceRatio });
    this.metrics = new NodeMetrics(clock, this.tracer);
    const router = new Router(types);
    const events = new EventHub({ clock, logger, queueMax: limits.listenerQueueMax });
    const retention = {
      dedupWindowMs: limits.dedupWindowMs,
      resultWindowMs: limits.resultWindowMs,
    };
    const nextId = () => this.#nextId();
    this.#host = this.#hostOf(router, events, retention);
    const { implementations } = options;
    this.residents = new Residents({
      host: this.#host,
      implementations,
      memoryBytes: ports.memoryBytes,
    });
    this.#delivery = new Delivery({
      clock,
      random,
      limits,
      router,
      nextId,
      incarnation: this.incarnation,
      trace: parent => this.tracer.contextIfSampled(parent),
      accept: (address, item, isRead) => this.residents.deliver(address, item, isRead),
      withdraw: (address, item) => this.residents.withdraw(address, item),
    });
    this.#wakes = new WakeSchedule({ clock, log, logger, wake: address => this.#wake(address) });
    this.kernel = {
      clock,
      log,
      bus,
      limits,
      retention,
      router,
      events,
      logger,
      nextId,
      delivery: this.#delivery,
      residents: this.residents,
    };
    log.onFailure(error => this.#engineFailed(error));
    ports.lease?.onState(state => this.#leaseChanged(state));
    if (ports.lease?.isHeld === false) this.#leaseChanged('lapsed');
  }

  /** Whether nothing keeps it from answering for agents, at this moment. */
  get mayServe(): boolean {
    return mayAnswer(this.#host);
  }

  /** Takes up what earlier lives left, and begins to serve. */
  async start(): Promise<void> {
    this.residents.start();
    this.#delivery.start();
    try {
      await this.#wakes.start();
    } catch (error) {
      if (this.#options.ports.lease === undefined) throw error;
      // Servers elect a leader now and then; the schedule goes on looking.
      this.#options.ports.logger.warn('due work cannot be looked for at the moment', {
        error: textOf(error),
      });
    }
  }

  /** Lets what runs come to its end, for so long, and then lets go. */
  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#options.ports;
    this.#wakes.close();
    const error = new TroupeError('NODE_DRAINING', { detail: 'the node is stopping' });
    this.#delivery.drain(error);
    const until = clock.monotonic() + drainMs;
    while (clock.monotonic() < until && !this.#isAtRest()) {
      await new Promise<void>(resolve => {
        clock.setTimer(drainStepMs, resolve);
      });
    }
    this.#delivery.close(error);
    this.residents.close(error);
  }

  #isAtRest(): boolean {
    return this.#delivery.isAtRest && this.residents.areQuiet;
  }

  #wake(address: string): void {
    const slash = address.indexOf('/');
    if (slash < 1 || !this.#options.implementations.has(address.slice(0, slash))) return;
    const { type, key } = parseAddress(address);
    this.residents.wake(type, key);
  }

  /** While it is not held, callers are refused at once; what agents have to do waits. */
  #leaseChanged(state: OwnLeaseState): void {
    const { logger } = this.#options.ports;
    if (state === 'lapsed') {
      logger.warn(
        'the lease of this node could not be renewed in time; it serves nothing until it is',
      );
      this.residents.suspend(leaseLapsed('any agent'));
    } else if (state === 'held') {
      logger.info('the lease of this node is renewed; it serves again');
      this.residents.suspend(undefined);
      this.#wakes.lookAgain();
    }
  }

  /**
   * Nothing can be recorded any more. What was not begun is refused at once; what was begun hears
   * from the engine what became of its records; who still waits then is told that nobody knows.
   */
  #engineFailed(cause: TroupeError): void {
    const { clock, logger } = this.#options.ports;
    const error = new TroupeError('ENGINE_FAILED', {
      detail: `the storage engine failed (${cause.detail}), so this node serves nothing any more; start it again when that is in order`,
      outcome: 'not-executed',
      cause,
    });
    logger.error('the storage engine failed; the node serves nothing any more', {
      code: error.code,
      detail: cause.detail,
    });
    this.#wakes.close();
    this.#delivery.refuse(error);
    this.residents.refuse(error);
    const until = clock.monotonic() + failureDrainMs;
    const settle = () => {
      if (!this.residents.areQuiet && clock.monotonic() < until) {
        clock.setTimer(drainStepMs, settle);
        return;
      }
      this.#delivery.close(error);
      this.residents.close(error);
    };
    clock.setTimer(drainStepMs, settle);
  }

  #nextId(): string {
    this.#ids += 1;
    return `${this.#idPrefix}${this.#ids}`;
  }

  #hostOf(router: Router, events: EventHub, retention: ClientKernel['retention']): AgentHost {
    const { ports, limits } = this.#options;
    const { clock, random, log, lease, epoch, lineage, logger } = ports;
    return {
      clock,
      random,
      log,
      lease,
      epoch,
      lineage,
      logger,
      limits,
      retention,
      incarnation: this.incarnation,
      runningSteps: new Map(),
      nextId: () => this.#nextId(),
      deliver: message => this.#delivery.deliver(message),
      deliverPromised: (source, entry, floor) =>
        this.#delivery.deliverPromised(source, entry, floor),
      contractOf: type => router.find(type)?.contract as Contract | undefined,
      enqueue: (address, item) => this.residents.enqueue(address, item),
      waitingAt: address => this.residents.get(address)?.waiting ?? 0,
      schedule: (address, wakeAt) => this.#wakes.set(address, wakeAt),
      publish: published => events.publish(published),
      lifecycle: (kind, address, detail) => this.#lifecycle(kind, address, detail),
      observe: (envelope, kind, startedAt, error) =>
        this.metrics.observe(envelope, kind, startedAt, error),
      observeRun: (type, action, _startedAt, isOk) => this.metrics.observeRun(type, action, isOk),
      observeStep: (type, name, what) => this.metrics.observeStep(type, name, what),
      faultPoint: ports.onFaultPoint ?? (() => undefined),
    };
  }

  #lifecycle(kind: LifecycleKind, agent: string, detail: unknown): void {
    this.metrics.lifecycle(kind);
    const { bus, clock, logger } = this.#options.ports;
    const event = { kind, agent, ...(detail === undefined ? {} : { detail: String(detail) }) };
    bus.publish(`agent.lifecycle.${kind}`, encodeValue([event, clock.now()])).catch(error => {
      logger.debug('a lifecycle event was not published', { error: String(error) });
    });
  }
}
