/**
 * A node that is watched while its servers fail, or that is killed itself: callers ask its agents
 * without end, and each question and answer is told on standard output before the next. On
 * standard input it is told to finish; when that is cut, it ends. Parameter: the plan, as JSON.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createTroupe, type Result } from '../../src/index.ts';
import { isTallied, seriesAgents } from './nats-series-agents.ts';
import {
  agentsOf,
  type Operation,
  operationsOfLife,
  type SeriesEvent,
  type SeriesNodePlan,
} from './nats-series-events.ts';

// Written by the process that started this one.
const plan = JSON.parse(process.argv[2] ?? '{}') as SeriesNodePlan;
const { cluster, data, book, life, pauseMs, open } = plan;
const { counters, jobs } = agentsOf(plan);
const stepMs = 20;
/** Those who ask once give up early, those who ask again wait for what an election takes. */
const timeouts = { once: '2s', again: '10s', read: '2s', job: '30s' } as const;
/** What agents hold is asked for when all is well. */
const patience = { timeout: '60s' } as const;
const [arrivalLooksMax, arrivalLookMs] = [300, 200];

const troupe = createTroupe({ agents: seriesAgents({ book, stepMs }), cluster, data });
let isFinishing = false;
let lastId = life * operationsOfLife;

process.stdin.on('data', () => {
  isFinishing = true;
});
process.stdin.on('end', () => process.exit(1));
await troupe.start();
tell({ event: 'ready' });
if (plan.does === 'call') await callAll();
else await tellAll();
await troupe.stop({ drain: '10s' });
process.exit(0);

async function callAll(): Promise<void> {
  const callers: Promise<void>[] = [];
  for (const agent of counters) {
    callers.push(callAgain(agent, 'add'), callOnce(agent, 'add'), callOnce(agent, 'count'));
  }
  for (const agent of jobs) callers.push(callAgain(agent, 'work'));
  await Promise.all(callers);
}

/** Asks under a key until it is answered; first for what an earlier life began. */
async function callAgain(agent: string, kind: 'add' | 'work'): Promise<void> {
  const earlier = open.filter(operation => operation.agent === agent && operation.kind === kind);
  for (const operation of earlier) await untilAnswered(operation);
  while (!isFinishing) await untilAnswered(next(agent, kind, true));
}

async function untilAnswered(operation: Operation): Promise<void> {
  while (!(await isAnswered(operation))) await wait(pauseMs);
  if (operation.kind === 'work') appendFileSync(book, `answered ${operation.id}\n`);
  await wait(pauseMs);
}

/** Asks each thing once, whatever comes of it. */
async function callOnce(agent: string, kind: 'add' | 'count'): Promise<void> {
  while (!isFinishing) {
    await isAnswered(next(agent, kind, false));
    await wait(pauseMs);
  }
}

function next(agent: string, kind: Operation['kind'], isKeyed: boolean): Operation {
  lastId += 1;
  return { id: lastId, kind, agent, isKeyed };
}

async function isAnswered(operation: Operation): Promise<boolean> {
  const { id } = operation;
  tell({ event: 'asked', at: Date.now(), ...operation });
  const result = await ask(operation);
  const at = Date.now();
  if (result.ok) {
    const { epoch, version } = result.position;
    tell({ event: 'answered', at, id, epoch, version, value: result.value });
  } else {
    const { code, outcome, detail } = result.error;
    tell({ event: 'failed', at, id, code, outcome, detail });
  }
  return result.ok;
}

function ask({ id, kind, agent, isKeyed }: Operation): Promise<Result<number>> {
  const idempotencyKey = isKeyed ? `operation ${id}` : undefined;
  const key = agent.slice(agent.indexOf('/') + 1);
  if (kind === 'work') {
    const options = { idempotencyKey, timeout: timeouts.job };
    return troupe.agents.get(`job/${key}`).tryExecute('work', id, options);
  }
  const one = troupe.agents.get(`counter/${key}`);
  if (kind === 'count') return one.tryExecute('count', undefined, { timeout: timeouts.read });
  return one.tryExecute('add', id, {
    idempotencyKey,
    timeout: isKeyed ? timeouts.again : timeouts.once,
  });
}

/** Says what all agents hold, once what they promised to each other has arrived. */
async function tellAll(): Promise<void> {
  let promised = 0;
  for (const agent of counters) {
    const applied = await troupe.agents.get(agent).execute('applied', undefined, patience);
    promised += applied.filter(isTallied).length;
    tell({ event: 'holds', agent, operations: applied });
  }
  for (const agent of jobs) {
    const finished = await troupe.agents.get(agent).execute('finished', undefined, patience);
    promised += finished.length;
    tell({ event: 'holds', agent, operations: finished });
  }
  const main = troupe.agents.get('tally/main');
  let entered = await main.execute('entered', undefined, patience);
  for (let look = 1; entered.length < promised && look <= arrivalLooksMax; look += 1) {
    await wait(arrivalLookMs);
    entered = await main.execute('entered', undefined, patience);
  }
  tell({ event: 'holds', agent: main.address, operations: entered });
}

function tell(event: SeriesEvent): void {
  // A pipe is written to at once, so that a process that is killed has told what it saw.
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
