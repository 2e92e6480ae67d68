/**
 * The servers of the model and the routes between them: who is up, who can talk to whom, and when a
 * cut is noticed. With short pings a silent route is given up after some seconds, and what it held
 * is lost; with the default ones it is not given up for minutes, and what it held comes late.
 */
import type { SimEvent } from './sim-event-heap.ts';
import { SimNatsLine } from './sim-nats-line.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** How soon servers notice that a route is silent. */
export type SimNatsPings = 'short' | 'default';

/** One server. */
export interface SimNatsServer {
  readonly place: number;
  readonly name: string;
  isAlive: boolean;
  /** Stopped in its tracks: nothing of it moves, and nobody is told. */
  isPaused: boolean;
  /** Whether it has read its streams since it started. */
  isReady: boolean;
  /** Rises with every start. */
  life: number;
  /** How long its replicas wait before they show what was decided. */
  lagMs: number;
}

/** What the net of servers is made of. */
export interface SimNatsNetOptions {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly servers: number;
  readonly pings: SimNatsPings;
  readonly name: string;
}

interface Route {
  readonly ends: readonly [SimNatsServer, SimNatsServer];
  readonly lines: readonly [SimNatsLine, SimNatsLine];
  isOpen: boolean;
  cutSinceMs: number | undefined;
  event: SimEvent | undefined;
}

const travelMs = 0.12;
/** How long a cut goes unnoticed: measured 3.1 s with `ping_interval: 1s, ping_max: 2`. */
const noticeMs = {
  short: { low: 2_200, high: 4_000 },
  default: { low: 120_000, high: 360_000 },
} as const;
/** How long routes need to come back: measured 0.3 s and 3 s. */
const reopenMs = {
  short: { low: 100, high: 500 },
  default: { low: 300, high: 3_000 },
} as const;
/** A sender waits longer the longer it was cut, before it tries again. */
const lateMsMax = 10_000;
const recoveryMs = { low: 300, high: 1_500 } as const;

/** Servers and routes. */
export class SimNatsNet {
  readonly scheduler: SimScheduler;
  readonly servers: readonly SimNatsServer[];
  readonly #options: SimNatsNetOptions;
  readonly #random: SimRandom;
  readonly #routes: Route[] = [];
  readonly #listeners: (() => void)[] = [];

  constructor(options: SimNatsNetOptions) {
    this.#options = options;
    this.scheduler = options.scheduler;
    this.#random = options.random;
    this.servers = Array.from({ length: options.servers }, (_, place) => newServer(options, place));
    for (const left of this.servers) {
      for (const right of this.servers.slice(left.place + 1)) this.#addRoute(left, right);
    }
  }

  /** True virtual time. */
  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** Calls back whenever somebody may have become able to talk to somebody, or unable. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether a server acts. */
  isRunning(server: SimNatsServer): boolean {
    return server.isAlive && !server.isPaused;
  }

  /** Whether one server believes that it has a route to the other. */
  sees(server: SimNatsServer, other: SimNatsServer): boolean {
    return server === other ? server.isAlive : this.#route(server, other)?.isOpen === true;
  }

  /** Whether what one server says reaches the other now, and the other way round. */
  canTalk(server: SimNatsServer, other: SimNatsServer): boolean {
    if (!this.isRunning(server) || !this.isRunning(other)) return false;
    if (server === other) return true;
    const route = this.#route(server, other);
    return route?.isOpen === true && !route.lines.some(line => line.isCut);
  }

  /** Lets something happen at another server, or at the same one. */
  send(from: SimNatsServer, to: SimNatsServer, kind: string, task: () => void): void {
    const { life } = to;
    const arrive = () => {
      if (to.isAlive && to.life === life) task();
    };
    const route = this.#route(from, to);
    if (from === to) arrive();
    else if (route?.isOpen === true) lineOf(route, from).send(kind, arrive);
  }

  /** Cuts the route between two servers, or only what one says to the other. */
  cut(left: SimNatsServer, right: SimNatsServer, isOneWay = false): void {
    const route = this.#route(left, right);
    if (route === undefined || route.cutSinceMs !== undefined) return;
    route.cutSinceMs = this.nowMs;
    for (const line of isOneWay ? [lineOf(route, left)] : route.lines) line.cut();
    if (route.isOpen) this.#noticeLater(route);
    this.#changed();
  }

  /** Heals every route of a server, or all routes. */
  heal(server?: SimNatsServer): void {
    for (const route of this.#routes) {
      if (server !== undefined && !route.ends.includes(server)) continue;
      if (route.ends.some(end => end.isPaused)) continue;
      this.#healRoute(route);
    }
    this.#changed();
  }

  /** Ends a server at once. Its routes close, and what they carried is lost. */
  kill(server: SimNatsServer): void {
    if (!server.isAlive) return;
    server.isAlive = false;
    server.isPaused = false;
    server.isReady = false;
    server.life++;
    for (const route of this.#of(server)) {
      route.isOpen = false;
      for (const line of route.lines) line.lose();
    }
    this.#changed();
  }

  /** Starts a server again. It reads its streams for a while before it takes part. */
  start(server: SimNatsServer): void {
    if (server.isAlive) return;
    server.isAlive = true;
    server.life++;
    const { life } = server;
    for (const route of this.#of(server)) this.#reopenLater(route);
    this.scheduler.schedule({
      delayMs: this.#random.between(recoveryMs.low, recoveryMs.high),
      kind: 'nats-ready',
      task: () => {
        if (server.life !== life) return;
        server.isReady = true;
        this.#changed();
      },
    });
  }

  /** Freezes a server: its connections stay, and carry nothing. */
  pause(server: SimNatsServer): void {
    if (!this.isRunning(server)) return;
    server.isPaused = true;
    for (const route of this.#of(server)) {
      const other = route.ends.find(end => end !== server);
      if (other !== undefined) this.cut(server, other);
    }
    this.#changed();
  }

  /** Lets a frozen server go on where it was. */
  resume(server: SimNatsServer): void {
    if (!server.isPaused) return;
    server.isPaused = false;
    this.heal(server);
  }

  #healRoute(route: Route): void {
    if (route.cutSinceMs === undefined) return;
    const cutMs = this.nowMs - route.cutSinceMs;
    route.cutSinceMs = undefined;
    if (route.event !== undefined) this.scheduler.cancel(route.event);
    const delayMs = this.#random.between(0, Math.min(lateMsMax, cutMs));
    for (const line of route.lines) line.heal(delayMs);
    if (!route.isOpen) this.#reopenLater(route);
  }

  #noticeLater(route: Route): void {
    const { low, high } = noticeMs[this.#options.pings];
    route.event = this.scheduler.schedule({
      delayMs: this.#random.between(low, high),
      kind: 'nats-route-closes',
      task: () => {
        if (route.cutSinceMs === undefined) return;
        route.isOpen = false;
        for (const line of route.lines) line.lose();
        this.#changed();
      },
    });
  }

  #reopenLater(route: Route): void {
    const { low, high } = reopenMs[this.#options.pings];
    this.scheduler.schedule({
      delayMs: this.#random.between(low, high),
      kind: 'nats-route-opens',
      task: () => {
        if (route.cutSinceMs !== undefined || !route.ends.every(end => end.isAlive)) return;
        route.isOpen = true;
        this.#changed();
      },
    });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #of(server: SimNatsServer): Route[] {
    return this.#routes.filter(route => route.ends.includes(server));
  }

  #route(left: SimNatsServer, right: SimNatsServer): Route | undefined {
    return this.#routes.find(({ ends }) => ends.includes(left) && ends.includes(right));
  }

  #addRoute(left: SimNatsServer, right: SimNatsServer): void {
    const { scheduler } = this;
    const line = (from: SimNatsServer, to: SimNatsServer) =>
      new SimNatsLine({
        scheduler,
        random: this.#random.fork(`${from.name}/${to.name}`),
        meanMs: travelMs,
      });
    const lines = [line(left, right), line(right, left)] as const;
    const ends = [left, right] as const;
    this.#routes.push({ ends, lines, isOpen: true, cutSinceMs: undefined, event: undefined });
  }
}

function lineOf({ ends, lines }: Route, from: SimNatsServer): SimNatsLine {
  return ends[0] === from ? lines[0] : lines[1];
}

function newServer({ name }: SimNatsNetOptions, place: number): SimNatsServer {
  return {
    place,
    name: `${name}-${place + 1}`,
    isAlive: true,
    isPaused: false,
    isReady: true,
    life: 1,
    lagMs: 0,
  };
}
