/**
 * Each policy for a step that was cut off does what it says, wherever in the step the crash came.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  defineAgent,
  implement,
  type Resolution,
  type StepCall,
  type StepOptions,
  TroupeError,
  task,
} from '../../src/index.ts';
import { troupeMachine } from '../helpers/troupe-machine.ts';

const worker = defineAgent('worker', {
  state: z.object({}),
  actions: {
    /** Answers with what the step brought, or the code of its error. */
    work: task({ input: z.string(), output: z.string() }),
  },
});

const lookedUp: StepCall[] = [];
const finding = (found: { value: string } | 'retry' | 'fail' | 'ask') => (call: StepCall) => {
  lookedUp.push(call);
  return found;
};
const policies: Readonly<Record<string, NonNullable<StepOptions<string>['onUnknown']>>> = {
  retry: 'retry',
  fail: 'fail',
  ask: 'ask',
  'function: value': finding({ value: 'found' }),
  'function: retry': finding('retry'),
  'function: fail': finding('fail'),
  'function: ask': finding('ask'),
  'function: throws': () => {
    throw new Error('the outside world is away');
  },
};

/** What the body of the step did in this test: outside of the process that crashes. */
const bodies: StepCall[] = [];
const effects: number[] = [];
let pause: () => Promise<void> = () => Promise.resolve();

const workerAgent = implement(worker, {
  async work(ctx, policy) {
    const body = async (call: StepCall) => {
      bodies.push(call);
      await pause();
      effects.push(call.attempt);
      await pause();
      return `done at attempt ${call.attempt}`;
    };
    const options = policy === 'default' ? {} : { onUnknown: policies[policy] };
    try {
      return await ctx.step('call', policy, body, options);
    } catch (error) {
      return TroupeError.is(error) ? error.code : 'unknown';
    }
  },
});

beforeEach(() => {
  for (const list of [bodies, effects, lookedUp]) list.length = 0;
});

const crashes = {
  'before its effect': () => bodies.length > 0,
  'after its effect': () => effects.length > 0,
};

/** Lets a step be cut off, answers it where it asks, and tells how the run ended. */
async function cutOff(policy: string, isDue: () => boolean, word?: Resolution): Promise<string> {
  using machine = troupeMachine(1, [workerAgent]);
  const { ask, world } = machine;
  pause = () => world.scheduler.sleep(3);
  const options = { idempotencyKey: 'once' };
  const begun = ask(({ agents }) =>
    agents.get('worker/one').request('work', policy, options).recorded(),
  );
  await machine.reach(isDue);
  machine.crash('kill');
  await machine.until(begun);
  const status = async () => (await ask(({ runs }) => runs.list({ type: 'worker' }))).items[0];
  await machine.pass(5_000);
  const run = await machine.until(status());
  if (word !== undefined) {
    // It goes on asking through further crashes, however long the person takes.
    machine.crash('power-loss');
    await machine.pass(86_400_000);
    const asking = await machine.until(status());
    expect([run?.status, asking?.status]).toEqual(['asking', 'asking']);
    await machine.until(ask(({ runs }) => runs.resolve(asking?.id ?? '', 'call', word)));
  }
  const ended = await machine.until(
    ask(({ agents }) => agents.get('worker/one').execute('work', policy, options)),
  );
  machine.crash('kill');
  // What became of it stands, also for the lives to come.
  await machine.pass(5_000);
  const again = ask(({ agents }) => agents.get('worker/one').execute('work', policy, options));
  expect(await machine.until(again)).toBe(ended);
  expect(world.violations).toEqual([]);
  return ended;
}

const repeated = 'done at attempt 2';
const failed = 'STEP_UNKNOWN';

describe.each(Object.entries(crashes))('a step that was cut off %s', (_, isDue) => {
  it.each([
    { policy: 'default', ends: repeated, began: 2 },
    { policy: 'retry', ends: repeated, began: 2 },
    { policy: 'fail', ends: failed, began: 1 },
    { policy: 'ask', word: { value: 'seen' }, ends: 'seen', began: 1 },
    { policy: 'ask', word: 'retry' as const, ends: repeated, began: 2 },
    { policy: 'ask', word: 'fail' as const, ends: failed, began: 1 },
    { policy: 'function: value', ends: 'found', began: 1 },
    { policy: 'function: retry', ends: repeated, began: 2 },
    { policy: 'function: fail', ends: failed, began: 1 },
    { policy: 'function: ask', word: { value: 'seen' }, ends: 'seen', began: 1 },
    { policy: 'function: throws', ends: 'HANDLER_FAILED', began: 1 },
  ])('with $policy ($word) ends with $ends', async ({ policy, word, ends, began }) => {
    expect(await cutOff(policy, isDue, word)).toBe(ends);
    expect(bodies.map(({ attempt }) => attempt)).toEqual(began === 1 ? [1] : [1, 2]);
    // Whoever repeats, and whoever looks up, does it under the key of the first attempt.
    const keys = [...bodies, ...lookedUp].map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(1);
  });
});

it('asks no policy about a step that had not begun, or whose outcome is recorded', async () => {
  for (const moment of ['before', 'after']) {
    using machine = troupeMachine(2, [workerAgent]);
    const { ask, world } = machine;
    pause = () => world.scheduler.sleep(3);
    const options = { idempotencyKey: moment };
    const work = ask(({ agents }) => agents.get('worker/one').execute('work', 'fail', options));
    if (moment === 'after') await machine.until(work);
    else await machine.pass(1);
    machine.crash('kill');
    expect(await machine.until(work)).toBe('done at attempt 1');
    bodies.length = 0;
  }
});
