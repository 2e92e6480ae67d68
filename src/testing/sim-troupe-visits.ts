/**
 * What callers of the simulated world do beside deeds: look, start jobs, give signals, clean up.
 */
import { TroupeError } from '../core/errors.ts';
import type { OperationStart } from './history.ts';
import { type Answer, type CallerBench, finish, refOf } from './sim-troupe-callers.ts';
import type { TroupeDraws } from './sim-troupe-draws.ts';
import type { TroupeProgram } from './sim-troupe-node.ts';

/** Who does it, and to whom. */
export interface Visit {
  readonly client: string;
  readonly agent: string;
}

const jobAttemptsMax = 10;

/** Sees the total: by a read, or by a turn that changes nothing. */
export async function look(
  bench: CallerBench,
  visit: Visit,
  action: 'look' | 'peek',
): Promise<void> {
  const start = { ...visit, kind: 'read', action, input: undefined } as const;
  await finish(bench, bench.recorder.start(start), async program => {
    const result = await refOf(program, visit.agent).tryExecute(action);
    if (!result.ok) throw result.error;
    const { epoch, version } = result.position;
    return { output: result.value, stamp: { epoch, version } };
  });
}

/** Sees the state as it was some versions ago. */
export async function lookBack(
  bench: CallerBench,
  visit: Visit,
  draws: TroupeDraws,
): Promise<void> {
  const operation = start(bench, visit, 'past');
  const back = draws.random.below(20);
  await finish(bench, operation, async program => {
    const ref = refOf(program, visit.agent);
    const now = await ref.tryExecute('look');
    if (!now.ok) throw now.error;
    const version = now.position.version - back;
    if (version < 1) return { output: undefined };
    const { state } = await ref.stateAt({ version });
    const tally = { total: state.value / 10 ** (state.form - 1), turns: state.turns };
    bench.diary.past.push({
      ...operation,
      agent: visit.agent,
      status: 'ok',
      output: tally,
      stamp: { epoch: 0, version },
    });
    return { output: undefined };
  });
}

/** Starts a job and waits for its end, across as many lives as that takes. */
export async function startJob(
  bench: CallerBench,
  visit: Visit,
  draws: TroupeDraws,
): Promise<void> {
  const command = `job-${bench.recorder.operations.length}`;
  const job = draws.job(command);
  const way = draws.random.pick(['execute', 'request', 'stream', 'send'] as const) ?? 'execute';
  const chunks: string[] = [];
  bench.diary.chunks.set(command, chunks);
  for (let attempt = 0; attempt < jobAttemptsMax; attempt++) {
    const operation = start(bench, visit, `job-${way}`);
    const error = await finish(bench, operation, async program => {
      const ref = refOf(program, visit.agent);
      const key = { idempotencyKey: command };
      if (way === 'execute')
        return answerOf(await ref.execute('job', job, { ...key, timeout: 15_000 }));
      if (way === 'request') return answerOf(await ref.request('job', job, key));
      if (way === 'send') return { output: (await ref.send('job', job, key)).messageId };
      const stream = ref.stream('job', job, { ...key, from: chunks.length });
      for await (const chunk of stream) chunks.push(chunk);
      return answerOf(await stream.result);
    });
    const isAnswered = operation.status === 'ok' && way !== 'send';
    // Answers of other verbs are lists of results: see `answerOf`.
    if (isAnswered) bench.diary.jobAnswers.push({ command, results: operation.output as string[] });
    if (operation.status === 'ok' || isFinal(error)) return;
    await bench.world.scheduler.sleep(draws.random.exponential(2_000));
  }
}

function answerOf(results: readonly string[]): Answer {
  return { output: results };
}

/** Whether a run has ended, so that nothing else can come of asking again. */
function isFinal(error: unknown): boolean {
  return TroupeError.is(error) && (error.outcome === 'executed' || error.code === 'STEP_MISMATCH');
}

/** Gives an agent a signal. */
export async function nudge(bench: CallerBench, visit: Visit): Promise<void> {
  const operation = start(bench, visit, 'signal');
  const id = `nudge-${operation.id}`;
  await finish(bench, operation, async program => {
    await refOf(program, visit.agent).signal('nudge', { id });
    bench.diary.signalsTaken.add(id);
    return { output: undefined };
  });
}

/** Deletes an agent. */
export async function remove(bench: CallerBench, visit: Visit): Promise<void> {
  await finish(bench, start(bench, visit, 'delete'), async program => {
    await refOf(program, visit.agent).delete();
    return { output: undefined };
  });
}

/** Answers steps that ask, ends a run now and then, and empties what was given up. */
export async function cleanUp(
  bench: CallerBench,
  client: string,
  draws: TroupeDraws,
): Promise<void> {
  const operation = start(bench, { client, agent: 'all' }, 'clean');
  await finish(bench, operation, async program => {
    await resolveAsking(program, draws);
    const { items } = await program.handle.deadLetters.list({ limit: 5 });
    for (const letter of items) {
      const drawn = draws.random.below(3);
      if (drawn === 0) await program.handle.deadLetters.retry(letter.id);
      if (drawn === 1) await program.handle.deadLetters.drop(letter.id);
    }
    return { output: undefined };
  });
}

async function resolveAsking({ handle }: TroupeProgram, draws: TroupeDraws): Promise<void> {
  const { items } = await handle.runs.list();
  for (const run of items) {
    if (run.status === 'running' && draws.random.chance(0.02)) await handle.runs.cancel(run.id);
    const asking = run.steps.find(each => each.status === 'asking');
    if (asking === undefined) continue;
    const resolution = draws.random.pick(['retry', 'fail', { value: 'found' }] as const) ?? 'retry';
    await handle.runs.resolve(run.id, asking.name, resolution, { key: asking.key });
  }
}

/** An operation that is no write of its own: it only has to end. */
function start(bench: CallerBench, { client, agent }: Visit, action: string) {
  const begun: OperationStart = {
    client,
    agent: `${action} at ${agent}`,
    kind: 'read',
    action,
    input: undefined,
  };
  return bench.recorder.start(begun);
}
