/**
 * Two nodes write the same logs on modelled NATS servers, whose answers are lost, late or refused,
 * and which die and are cut off. What was answered is held against what the logs hold afterwards,
 * and every log with work of its own against what the wake log lists.
 */
import { TroupeError } from '../../src/core/errors.ts';
import type { NatsClient } from '../../src/engines/nats/client.ts';
import { openNatsLog } from '../../src/engines/nats/log.ts';
import type { Log, LogSlice, NewRecord, Seq } from '../../src/ports/log.ts';
import { allHeads, readAll } from '../../src/testing/log-law-steps.ts';
import {
  drawNatsFaults,
  natsFaultKinds,
  scheduleNatsFaults,
} from '../../src/testing/sim-nats-faults.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import { inNatsModel, type NatsModel } from '../helpers/nats-model.ts';

/** What one run came to. */
export interface LogWorldReport {
  /** What must not be; none when all is well. */
  readonly violations: readonly string[];
  /** How many appends were answered in each way. */
  readonly answers: Readonly<Record<string, number>>;
  /** How many logs were found to have work when all was quiet. */
  readonly dueCount: number;
}

interface Issued {
  readonly id: string;
  readonly name: string;
  /** Where it must be, once it was accepted. */
  seq?: Seq;
  /** Whether it may be there or not. */
  isOpen: boolean;
}

interface World {
  readonly model: NatsModel;
  readonly servers: 1 | 3;
  readonly isTrimming: boolean;
  readonly issued: Issued[];
  readonly answers: Record<string, number>;
  readonly violations: string[];
  dueCount: number;
}

interface Node {
  readonly label: string;
  readonly random: SimRandom;
  readonly client: NatsClient;
  log: Log;
  /** Where each log ended when this node last looked. */
  readonly tails: Map<string, Seq>;
}

const names = ['a/1', 'a/2', `b/${'long'.repeat(60)}`];
const wakeTimes = [0, 10, 1_000, 1_000_000, Number.POSITIVE_INFINITY, undefined, undefined];
const phases = 5;
const stepsPerPhase = 25;
/** Messages land up to 10 s late, and elections take as long. */
const quietMs = 30_000;
const faultRates = {
  'lost-ack': 0.04,
  'late-write': 0.04,
  'lost-write': 0.03,
  'no-responder': 0.04,
  'rival-in-flight': 0.03,
  'api-unavailable': 0.03,
  'lost-answer': 0.02,
} as const;

/** Runs a world from a seed. */
export function runLogWorld(seed: number): Promise<LogWorldReport> {
  const servers = seed % 2 === 0 ? 3 : 1;
  return inNatsModel({ seed, servers }, async model => {
    const isTrimming = seed % 3 === 0;
    const issued: Issued[] = [];
    const world = { model, servers, isTrimming, issued, answers: {}, violations: [], dueCount: 0 };
    await runPhases(world as World);
    const { violations, answers, dueCount } = world;
    return { violations, answers, dueCount };
  });
}

async function runPhases(world: World): Promise<void> {
  const { model, servers } = world;
  const nodes = [await openNode(world, 'x'), await openNode(world, 'y')];
  for (let phase = 0; phase < phases; phase += 1) {
    const fromMs = model.cluster.scheduler.nowMs;
    if (servers === 3) {
      const span = { fromMs, untilMs: fromMs + 20_000, gapMs: 6_000, durationMsMax: 12_000 };
      const plan = { kinds: natsFaultKinds, ...span };
      scheduleNatsFaults(model.cluster, drawNatsFaults(model.random, plan));
    }
    for (const [kind, rate] of Object.entries(faultRates)) {
      model.cluster.switches.rate(kind as keyof typeof faultRates, rate);
    }
    await Promise.all(nodes.map(node => runSteps(world, node)));
    model.cluster.switches.clear();
    await model.sleep(quietMs);
    await check(world);
  }
}

async function openNode(world: World, label: string): Promise<Node> {
  const { model } = world;
  const random = model.random.fork(label);
  const client = await model.connect();
  return { label, random, client, log: await openLog(world, client, random), tails: new Map() };
}

function openLog({ model, servers }: World, client: NatsClient, random: SimRandom): Promise<Log> {
  const { clock } = model;
  const layout = { cluster: 'w', streamCount: 2, shardCount: 4, replicas: servers };
  return openNatsLog({ client, clock, random, ...layout });
}

async function runSteps(world: World, node: Node): Promise<void> {
  for (let step = 0; step < stepsPerPhase; step += 1) {
    const name = node.random.pick(names) ?? 'a/1';
    try {
      await runStep(world, node, name);
    } catch (error) {
      // What the servers cannot do at the moment is tried again at another step.
      count(world, TroupeError.is(error) ? error.code : String(error));
      node.tails.delete(name);
    }
    await world.model.sleep(node.random.exponential(500));
  }
}

async function runStep(world: World, node: Node, name: string): Promise<void> {
  const draw = node.random.below(100);
  if (draw < 70) await append(world, node, name);
  else if (draw < 85) await node.log.heads({ dueAt: 2_000 });
  else if (draw < 92) node.tails.delete(name);
  else if (draw < 96) await restart(world, node);
  else if (world.isTrimming) await trim(node, name);
}

function count({ answers }: World, answer: string): void {
  answers[answer] = (answers[answer] ?? 0) + 1;
}

async function append(world: World, node: Node, name: string): Promise<void> {
  const known = node.tails.get(name);
  const tail = known ?? (await node.log.readLatest(name)).tail;
  const issued: Issued = { id: `${node.label}${world.issued.length}`, name, isOpen: true };
  world.issued.push(issued);
  const isSnapshot = node.random.chance(0.2);
  const wakeAt = node.random.pick(wakeTimes);
  const records: NewRecord[] = [{ bytes: Buffer.from(issued.id), isSnapshot }];
  if (node.random.chance(0.3)) records.unshift({ bytes: Buffer.from(`with ${issued.id}`) });
  let isUnknown = false;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const result = await node.log.append(name, tail, records, { wakeAt });
    count(world, result.status);
    if (result.status === 'accepted') issued.seq = result.seq;
    isUnknown ||= result.status === 'unknown';
    if (result.status !== 'unknown') break;
    // As writers do: the same records behind the same place, until there is an answer.
    await world.model.sleep(50);
  }
  issued.isOpen = isUnknown && issued.seq === undefined;
  if (issued.seq === undefined) node.tails.delete(name);
  else node.tails.set(name, issued.seq);
}

async function trim(node: Node, name: string): Promise<void> {
  const [first] = (await node.log.readLatest(name)).records;
  if (first?.isSnapshot === true) await node.log.trim(name, first.seq);
}

async function restart(world: World, node: Node): Promise<void> {
  // In this order, because opening may fail at the moment.
  const next = await openLog(world, node.client, node.random);
  await node.log.close();
  node.tails.clear();
  node.log = next;
}

/** Looks at all that there is as somebody would who comes new to it. */
async function check(world: World): Promise<void> {
  const observer = await openNode(world, 'z');
  for (const name of names) checkLog(world, name, await readAll(observer.log, name));
  const heads = await allHeads(observer.log);
  const due = await allHeads(observer.log, { dueAt: Number.POSITIVE_INFINITY });
  for (const head of heads.filter(({ wakeAt }) => wakeAt !== Number.POSITIVE_INFINITY)) {
    world.dueCount += 1;
    const found = due.find(({ name }) => name === head.name);
    if (found?.wakeAt === head.wakeAt && found.tail === head.tail) continue;
    world.violations.push(`${head.name} has work at ${head.wakeAt}, and the wake log says nothing`);
  }
  await observer.log.close();
  await observer.client.close();
}

function checkLog(world: World, name: string, slice: LogSlice): void {
  const places = new Map(slice.records.map(({ bytes, seq }) => [`${Buffer.from(bytes)}`, seq]));
  const firstKept = slice.records[0]?.seq ?? 0;
  if (places.size !== slice.records.length) world.violations.push(`${name} holds a record twice`);
  for (const { id, seq, isOpen } of world.issued.filter(each => each.name === name)) {
    const found = places.get(id);
    if (seq !== undefined && seq >= firstKept && found !== seq) {
      world.violations.push(`${id} was accepted at ${seq} of ${name} and is at ${found}`);
    }
    if (seq === undefined && !isOpen && found !== undefined) {
      world.violations.push(`${id} was surely not stored, and is at ${found} of ${name}`);
    }
  }
}
