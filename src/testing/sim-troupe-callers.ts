/**
 * The callers of the simulated world, each on a machine of its own that nothing ever harms: they
 * ask, ask again under the same key, and write down what they saw.
 */
import type { AgentRef } from '../agent/references.ts';
import type { Priority } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { HistoryRecorder, Operation, Stamp } from './history.ts';
import type { SimProcess } from './sim-process.ts';
import type { CellContract } from './sim-troupe-contract.ts';
import { type Deed, splitAddress, type Tally } from './sim-troupe-deeds.ts';
import type { TroupeDraws } from './sim-troupe-draws.ts';
import type { TroupeProgram } from './sim-troupe-node.ts';
import type { SimWorld } from './sim-world.ts';

/** What is known of an operation beside its history. */
export interface IssueNote {
  readonly operation: Operation;
  /** The life of the node that took it, and in which order it took it. */
  readonly incarnation: string;
  readonly issue: number;
  /** Whether it has a number: what is tried once only has none. */
  readonly isNumbered: boolean;
  readonly lane: Priority;
}

/** What all callers share. */
export interface CallerBench {
  readonly world: SimWorld;
  readonly node: SimProcess<TroupeProgram>;
  readonly recorder: HistoryRecorder;
  readonly diary: CallerDiary;
  /** The virtual time at which nothing new is begun any more. */
  readonly endMs: number;
}

/** What callers saw beside answers. */
export class CallerDiary {
  readonly issues: IssueNote[] = [];
  /** Rejections with the tally that the agent showed as its reason. */
  readonly rejections: { readonly operation: Operation; readonly tally: Tally }[] = [];
  /** States of earlier versions, as reads. */
  readonly past: Operation[] = [];
  readonly jobAnswers: { readonly command: string; readonly results: readonly string[] }[] = [];
  readonly chunks: Map<string, string[]> = new Map();
  readonly signalsTaken: Set<string> = new Set();
  /** Operations that belonged to a burst. */
  inBursts = 0;
  /** What callers are doing now. */
  active = 0;
  #issue = 0;

  /** The node takes an operation now. */
  issue(note: Omit<IssueNote, 'issue'>): void {
    this.issues.push({ ...note, issue: this.#issue++ });
  }
}

/** An answer. */
export interface Answer {
  readonly output: unknown;
  readonly stamp?: Stamp | undefined;
}

/** How a deed is asked for. */
export type Verb = 'execute' | 'keyed' | 'send' | 'keyed-send' | 'call' | 'request';

/** A deed for an agent. */
export interface Wish {
  readonly client: string;
  readonly agent: string;
  readonly deed: Deed;
  readonly verb: Verb;
  readonly lane: Priority;
}

const attemptsMax = 8;

/** Asks for a deed, under a key until it is answered; now and then also after that. */
export async function wish(bench: CallerBench, each: Wish, draws: TroupeDraws): Promise<void> {
  const isRepeated = each.verb === 'keyed' || each.verb === 'keyed-send' || each.verb === 'request';
  for (let attempt = 0; attempt < (isRepeated ? attemptsMax : 1); attempt++) {
    const operation = await ask(bench, each, attempt);
    const isAnswered = operation.status === 'ok' || operation.error === 'REJECTED';
    if (isAnswered && !draws.random.chance(0.15)) return;
    await bench.world.scheduler.sleep(draws.random.exponential(attempt < 3 ? 300 : 3_000));
  }
}

async function ask(bench: CallerBench, each: Wish, attempt: number): Promise<Operation> {
  const { client, agent, deed, verb, lane } = each;
  const { command, amount } = deed;
  const start = { client, agent, kind: 'write', action: 'act', input: amount, command } as const;
  const operation = bench.recorder.start(start);
  const error = await finish(bench, operation, program => {
    const { incarnation } = program;
    bench.diary.issue({ operation, incarnation, lane, isNumbered: verb !== 'call' });
    return verbs[verb](refOf(program, agent), each, { attempt, program });
  });
  const tally = tallyOfRejection(error);
  // Under a key the same rejection is told again and again.
  if (tally !== undefined && (verb === 'execute' || verb === 'call'))
    bench.diary.rejections.push({ operation, tally });
  return operation;
}

/** Lets an operation end as its task does; returns the error that it ended with. */
export async function finish(
  { node, recorder }: CallerBench,
  operation: Operation,
  task: (program: TroupeProgram) => Promise<Answer>,
): Promise<unknown> {
  try {
    const { output, stamp } = await node.call(operation.action, task);
    recorder.answer(operation, output, stamp);
    return undefined;
  } catch (error) {
    recorder.fail(operation, error);
    return error;
  }
}

/** A reference to an agent. */
export function refOf(program: TroupeProgram, address: string): AgentRef<CellContract> {
  const { type, key } = splitAddress(address);
  return program.handle.agents.get<CellContract>(program.contracts[type], key);
}

type Ref = ReturnType<typeof refOf>;
type Ask = (
  ref: Ref,
  each: Wish,
  context: { readonly attempt: number; readonly program: TroupeProgram },
) => Promise<Answer>;

const execute: Ask = async (ref, { deed, lane, verb }) => {
  const key = verb === 'keyed' ? { idempotencyKey: deed.command } : {};
  const result = await ref.tryExecute('act', deed, { priority: lane, ...key });
  if (!result.ok) throw result.error;
  const { epoch, version } = result.position;
  return { output: result.value, stamp: { epoch, version } };
};

const send: Ask = async (ref, { deed, lane, verb }) => {
  const key = verb === 'keyed-send' ? { idempotencyKey: deed.command } : {};
  await ref.send('act', deed, { priority: lane, ...key });
  return { output: undefined };
};

const verbs: Readonly<Record<Verb, Ask>> = {
  execute,
  keyed: execute,
  send,
  'keyed-send': send,
  async call(ref, { deed, lane }) {
    return { output: await ref.call('act', deed, { timeout: 1_000, priority: lane }) };
  },
  async request(ref, { deed, lane, agent }, { attempt, program }) {
    // Every other time the future is found again by its id.
    if (attempt % 2 === 1) {
      const id = `${agent}#${encodeURIComponent(deed.command)}`;
      return { output: await program.handle.futures.get(id) };
    }
    const future = ref.request('act', deed, { idempotencyKey: deed.command, priority: lane });
    await future.recorded();
    return { output: await future };
  },
};

function tallyOfRejection(error: unknown): Tally | undefined {
  if (!TroupeError.is(error) || error.code !== 'REJECTED') return undefined;
  // The cells of this world reject with a tally.
  return (error.data as { readonly data?: Tally } | undefined)?.data;
}
