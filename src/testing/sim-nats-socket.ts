/**
 * One connection between a client and a server of the model, with both its ends. Each end gives it
 * up on its own: a client soon after it hears nothing, a server as its pings say.
 */
import type { SimOwner } from './sim-event-heap.ts';
import { SimNatsLine } from './sim-nats-line.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import { noBytes, noHeaders, type SimNatsPacket } from './sim-nats-packet.ts';
import type { SimNatsEnd, SimNatsListener, SimNatsRouter } from './sim-nats-router.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** What a connection is made of. */
export interface SimNatsSocketOptions {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly server: SimNatsServer;
  readonly owner: SimOwner;
  readonly router: SimNatsRouter;
  /** Takes what the client published, at the server. */
  take(server: SimNatsServer, packet: SimNatsPacket): boolean;
  /** A message is there for the client. */
  onMessage(listenerId: number, packet: SimNatsPacket): void;
  /** A message took longer than it should. */
  onLate(): void;
  /** The client notices that the connection is broken. */
  onBroken(): void;
}

const travelMs = 0.1;
const resetMs = 0.5;
const lateMs = 1_000;

/** A connection. */
export class SimNatsSocket implements SimNatsEnd {
  readonly server: SimNatsServer;
  readonly #options: SimNatsSocketOptions;
  readonly #life: number;
  readonly #up: SimNatsLine;
  readonly #down: SimNatsLine;
  readonly #listeners = new Map<number, SimNatsListener>();
  #isOpenAtServer = true;
  #isOpenAtClient = true;

  constructor(options: SimNatsSocketOptions) {
    this.#options = options;
    this.server = options.server;
    this.#life = options.server.life;
    const line = { scheduler: options.scheduler, random: options.random, meanMs: travelMs };
    this.#up = new SimNatsLine(line);
    this.#down = new SimNatsLine({ ...line, owner: options.owner });
  }

  get isOpen(): boolean {
    const isSameLife = this.server.isAlive && this.server.life === this.#life;
    return this.#isOpenAtServer && isSameLife && this.#options.owner.isAlive;
  }

  /** Whether the client still believes in the connection. */
  get isOpenAtClient(): boolean {
    return this.#isOpenAtClient;
  }

  /** The life that the client is in. */
  get owner(): SimOwner {
    return this.#options.owner;
  }

  get isCut(): boolean {
    return this.#up.isCut || this.#down.isCut;
  }

  /** Sends a message from the client. */
  publish(packet: SimNatsPacket): void {
    const sentMs = this.#options.scheduler.nowMs;
    this.#up.send('nats-publish', () => {
      if (!this.#reaches()) return;
      this.#noteLate(sentMs);
      const { router, take } = this.#options;
      const isHeard = router.deliver(this.server, packet.subject, packet);
      const isTaken = take(this.server, packet);
      if (isHeard || isTaken || packet.reply === undefined) return;
      const { reply } = packet;
      const nobody = { subject: reply, payload: noBytes, headers: noHeaders, status: 503 };
      router.deliver(this.server, reply, nobody);
    });
  }

  /** Adds listeners, and says when the server has them. */
  listen(
    wanted: readonly Pick<SimNatsListener, 'id' | 'pattern' | 'queue'>[],
    onListening: () => void,
  ): void {
    this.#up.send('nats-listen', () => {
      if (!this.#reaches()) return;
      for (const each of wanted) {
        this.#listeners.set(each.id, this.#options.router.add({ ...each, end: this }));
      }
      this.#down.send('nats-listening', onListening);
    });
  }

  /** Takes a listener away. */
  unlisten(id: number): void {
    this.#up.send('nats-unlisten', () => this.#forget(id));
  }

  hand({ id }: SimNatsListener, packet: SimNatsPacket): void {
    const sentMs = this.#options.scheduler.nowMs;
    this.#down.send('nats-arrival', () => {
      if (!this.#isOpenAtClient) return;
      this.#noteLate(sentMs);
      this.#options.onMessage(id, packet);
    });
  }

  /** Says when the server has read all that was sent before. */
  roundTrip(onDone: () => void): void {
    this.#up.send('nats-ping', () => {
      if (this.#reaches()) this.#down.send('nats-pong', onDone);
    });
  }

  /** Carries nothing for a while, and neither end is told. */
  cut(clientNoticesMs: number, serverNoticesMs: number): void {
    if (this.isCut) return;
    this.#up.cut();
    this.#down.cut();
    const { scheduler, owner } = this.#options;
    const giveUp = (delayMs: number, task: () => void, its?: SimOwner) => {
      const check = () => {
        if (this.isCut) task();
      };
      scheduler.schedule({ delayMs, kind: 'nats-ping-lost', owner: its, task: check });
    };
    giveUp(clientNoticesMs, () => this.#breakAtClient(), owner);
    // What the client sent before stays in the network until the server, too, gives up.
    giveUp(serverNoticesMs, () => this.#closeAtServer());
  }

  /** Carries again; what was held comes late. */
  heal(delayMs: number): void {
    this.#up.heal(delayMs);
    this.#down.heal(delayMs);
  }

  /** The server is gone: the network says so at once. */
  reset(): void {
    this.#closeAtServer();
    this.#down.heal(0);
    this.#down.lose();
    const { scheduler, owner } = this.#options;
    scheduler.schedule({
      delayMs: resetMs,
      kind: 'nats-reset',
      owner,
      task: () => this.#breakAtClient(),
    });
  }

  /** The client closes. */
  close(): void {
    this.#isOpenAtClient = false;
    this.#up.send('nats-close', () => this.#closeAtServer());
  }

  #noteLate(sentMs: number): void {
    const { scheduler, onLate } = this.#options;
    if (scheduler.nowMs - sentMs > lateMs) onLate();
  }

  #reaches(): boolean {
    return this.#isOpenAtServer && this.server.isAlive && this.server.life === this.#life;
  }

  #breakAtClient(): void {
    if (!this.#isOpenAtClient) return;
    this.#isOpenAtClient = false;
    // Its end of the connection says goodbye behind all that was sent.
    this.#up.send('nats-close', () => this.#closeAtServer());
    this.#options.onBroken();
  }

  #closeAtServer(): void {
    if (!this.#isOpenAtServer) return;
    this.#isOpenAtServer = false;
    // A client that is cut off hears of it when the network is well again.
    this.#down.send('nats-reset', () => this.#breakAtClient());
    for (const id of [...this.#listeners.keys()]) this.#forget(id);
  }

  #forget(id: number): void {
    const listener = this.#listeners.get(id);
    if (listener !== undefined) this.#options.router.remove(listener);
    this.#listeners.delete(id);
  }
}
