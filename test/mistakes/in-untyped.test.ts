/**
 * Mistakes that compile for those whose types are not looked at: whatever is passed, the node goes
 * on, the message names the place, and the agent is as it was.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, task, turn } from '../../src/index.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';

type Untyped = Readonly<Record<string, (...values: unknown[]) => Promise<unknown>>>;
type Act = (ctx: Untyped) => unknown;

const stranger = defineAgent('stranger', {
  state: z.object({}),
  actions: { greet: turn(), look: read() },
});
const other = defineAgent('other', {
  state: z.object({}),
  actions: { take: turn({ input: z.number() }) },
});
const worker = defineAgent('worker', {
  state: z.object({ count: z.number().default(0) }),
  events: { moved: z.number() },
  signals: { go: z.number() },
  actions: {
    turn: turn({ input: z.string() }),
    task: task({ input: z.string(), stream: z.number() }),
    count: read({ output: z.number() }),
  },
});

const inTurns: Record<string, readonly [Act, code: string, text: RegExp]> = {
  'a timer for an unknown action': [
    ctx => ctx.after?.('1h', 'tun'),
    'ACTION_NOT_DEFINED',
    /worker has no action "tun"; it has turn, task, count; did you mean "turn"\?/,
  ],
  'a timer with a wrong input': [
    ctx => ctx.after?.('1h', 'turn', 7),
    'INVALID_INPUT',
    /worker\.turn: expected string, received number \(7\)/,
  ],
  'a timer after no span': [
    ctx => ctx.after?.('1 hour', 'turn', ''),
    'CONFIG_INVALID',
    /the delay of ctx\.after is "1 hour"; write milliseconds, or a number with ms/,
  ],
  'a schedule that is none': [
    ctx => ctx.every?.('61 * * * *', 'turn', ''),
    'CONFIG_INVALID',
    /"61 \* \* \* \*".*minute.*write a cron text like/,
  ],
  'a time zone that is none': [
    ctx => ctx.every?.('* * * * *', 'turn', '', { timeZone: 'Europa/Berlin' }),
    'CONFIG_INVALID',
    /Europa\/Berlin/,
  ],
  'an unknown event': [
    ctx => ctx.emit?.('movd', 1),
    'ACTION_NOT_DEFINED',
    /worker has no event "movd"; it has moved; did you mean "moved"\?/,
  ],
  'a message to an unknown type': [
    ctx => ctx.send?.(stranger, 'a', 'greet'),
    'TYPE_NOT_DEFINED',
    /worker\/a sends to stranger\/a.*`agents` of createTroupe/,
  ],
  'a message to a read': [
    ctx => ctx.send?.(worker, 'b', 'count'),
    'INVALID_INPUT',
    /worker\/b\.count is a read/,
  ],
  'a message with a wrong input': [
    ctx => ctx.send?.(other, 'a', 'take', 'seven'),
    'INVALID_INPUT',
    /other\.take: expected number, received string \("seven"\)/,
  ],
  'a message in no lane': [
    ctx => ctx.send?.(other, 'a', 'take', 7, { priority: 'urgent' }),
    'INVALID_INPUT',
    /ctx\.send to other\/a: priority is "urgent"; it must be "high", "normal" or "low"/,
  ],
  'a message under no guarantee': [
    ctx => ctx.send?.(other, 'a', 'take', 7, { delivery: 'once' }),
    'INVALID_INPUT',
    /ctx\.send to other\/a: delivery is "once"; it must be "at_most_once"/,
  ],
  'a message with an option that is none': [
    ctx => ctx.send?.(other, 'a', 'take', 7, { priorty: 'high' }),
    'INVALID_INPUT',
    /ctx\.send to other\/a has no option "priorty"; it has .*did you mean "priority"\?/,
  ],
  'a timer with an option that is none': [
    ctx => ctx.after?.('1h', 'turn', 'x', { timeZone: 'Europe/Berlin' }),
    'INVALID_INPUT',
    /worker\/a: ctx\.after has no option "timeZone"; it has id/,
  ],
  'a message to no key': [
    ctx => ctx.send?.(other, '', 'take', 7),
    'INVALID_INPUT',
    /the key of an agent "other" is empty/,
  ],
  'a step': [
    ctx => (ctx.step as () => unknown)(),
    'HANDLER_FAILED',
    /worker\/a\.turn threw: ctx\.step is not a function/,
  ],
  'a rejection with what cannot be sent': [
    ctx => ctx.reject?.('no', { print() {} }),
    'NOT_SERIALIZABLE',
    /worker\/a rejection no\.print is a function/,
  ],
  'a throw': [
    () => {
      throw new RangeError('out of range');
    },
    'HANDLER_FAILED',
    /worker\/a\.turn threw: out of range/,
  ],
};

const inTasks: typeof inTurns = {
  'a wait for an unknown signal': [
    ctx => ctx.waitFor?.('gone'),
    'ACTION_NOT_DEFINED',
    /worker has no signal "gone"; it has go/,
  ],
  'a step without a name': [
    ctx => ctx.step?.('', 1, () => 1),
    'INVALID_INPUT',
    /ctx\.step\("", …\) needs a name/,
  ],
  'a step without a function': [
    ctx => ctx.step?.('a', () => 1),
    'NOT_SERIALIZABLE',
    /input of step "a" is a function/,
  ],
  'a step with an unknown policy': [
    ctx => ctx.step?.('a', 1, () => 1, { onUnknown: 'maybe' }),
    'INVALID_INPUT',
    /onUnknown is "maybe"; it must be "retry", "fail", "ask" or a function/,
  ],
  'a step with a policy under another name': [
    ctx => ctx.step?.('a', 1, () => 1, { onUnkown: 'ask' }),
    'INVALID_INPUT',
    /ctx\.step\("a", …\) has no option "onUnkown"; it has .*did you mean "onUnknown"\?/,
  ],
  'a step with options that are none': [
    ctx => ctx.step?.('a', 1, () => 1, 'ask'),
    'INVALID_INPUT',
    /ctx\.step\("a", …\): the last argument is "ask"; it must be an object with key/,
  ],
  'a wait with an option that is none': [
    ctx => ctx.waitFor?.('go', { timout: '1s' }),
    'INVALID_INPUT',
    /ctx\.waitFor has no option "timout"; it has timeout/,
  ],
  'a step whose result cannot be stored': [
    ctx => ctx.step?.('a', 1, () => new URL('http://localhost')),
    'NOT_SERIALIZABLE',
    /step "a".*an instance of URL/,
  ],
  'a step that throws': [
    ctx =>
      ctx.step?.('a', 1, () => {
        throw new RangeError('the bank is closed');
      }),
    'HANDLER_FAILED',
    /step "a".*the bank is closed/,
  ],
  'a wrong chunk': [
    async ctx => {
      ctx.write?.('seven');
      await ctx.step?.('a', 1, () => 1);
    },
    'OUTPUT_INVALID',
    /worker\.task chunk: expected number, received string \("seven"\)/,
  ],
  'a sleep of no span': [
    ctx => ctx.sleep?.('soon'),
    'CONFIG_INVALID',
    /the span of ctx\.sleep is "soon"/,
  ],
  'an update that leaves a wrong state': [
    ctx =>
      ctx.update?.((part: { state: unknown }) => {
        part.state = { count: 'x' };
      }),
    'OUTPUT_INVALID',
    /worker\/a state after the turn: count: expected number/,
  ],
};

describe('for those who use no types', () => {
  const folder = folderOf({});
  const workerAgent = implement(worker, {
    // What the acts are given is looked at by nobody, as in a program without types.
    turn: (ctx, name) => inTurns[name]?.[0](ctx as unknown as Untyped) as Promise<void>,
    task: (ctx, name) => inTasks[name]?.[0](ctx as unknown as Untyped) as Promise<void>,
    count: ctx => ctx.state.count,
  });
  const otherAgent = implement(other, { take() {} });
  const troupe = createTroupe({ agents: [workerAgent, otherAgent], data: folder.path });
  const ref = troupe.agents.get(worker, 'a');
  const untyped = ref as unknown as Untyped;

  beforeAll(() => troupe.start());
  afterEach(async () => {
    expect(await ref.execute('count')).toBe(0);
  });
  afterAll(async () => {
    await troupe.stop();
    folder[Symbol.dispose]();
  });

  it.each(Object.entries(inTurns))('%s in a turn', async (name, [, code, text]) => {
    const error = await mistakeIn(() => ref.execute('turn', name));
    expect(error.code).toBe(code);
    expect(error.detail).toMatch(text);
  });

  it.each(Object.entries(inTasks))('%s in a task', async (name, [, code, text]) => {
    const error = await mistakeIn(() => ref.execute('task', name));
    expect(error.code).toBe(code);
    expect(error.detail).toMatch(text);
  });

  it.each([
    ['no lane', { priority: 'urgent' }, /worker\/a: priority is "urgent"/],
    ['no guarantee', { delivery: 'exactly-once' }, /worker\/a: delivery is "exactly-once"/],
    ['exactly once without a key', { delivery: 'exactly_once' }, /needs an idempotencyKey/],
  ])('a call with %s', async (_name, options, text) => {
    const error = await mistakeIn(() => untyped.execute?.('turn', '', options));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
    expect(error.detail).toMatch(text);
  });

  it.each([
    ['no moment', 7, /7 is no moment; write \{ version: 3 \}/],
    ['no version', { version: 'first' }, /is no moment/],
    ['a time that is none', { time: new Date('never') }, /is no moment/],
  ])('a look at %s', async (_name, moment, text) => {
    const error = await mistakeIn(() => untyped.stateAt?.(moment));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
    expect(error.detail).toMatch(text);
  });

  it('a future, a run or a topic that is none', async () => {
    const acts: readonly [() => unknown, RegExp][] = [
      [() => troupe.futures.get('nonsense'), /"nonsense" is not the id of a future/],
      [() => troupe.runs.resolve('worker/a#no', 'a', 'retry'), /worker\/a has no run worker\/a#no/],
      [() => troupe.bus.publish('a..b', 1), /"a\.\.b" is not a topic; write words joined by dots/],
    ];
    for (const [act, text] of acts) {
      const error = await mistakeIn(act);
      expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
      expect(error.detail).toMatch(text);
    }
    const late = await mistakeIn(() => troupe.futures.get('worker/a#no'));
    expect(late).toMatchObject({ code: 'EXPIRED', outcome: 'unknown' });
  });

  it('an agent that is known by its contract only', async () => {
    await using alone = createTroupe({ agents: [other] });
    await alone.start();
    const call = alone.agents.get(other, 'a').execute('take', 1, { timeout: 300 });
    const error = await mistakeIn(() => call);
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not-executed' });
    expect(error.detail).toContain('"other" is known here by its contract only');
    expect(error.detail).toContain('pass its implementation in `agents`');
  });

  it('a data directory that is a file', async () => {
    using files = folderOf({ 'notes.txt': 'mine' });
    const path = `${files.path}/notes.txt`;
    const error = await mistakeIn(() => createTroupe({ agents: [otherAgent], data: path }).start());
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', outcome: 'not-executed' });
    expect(error.detail).toContain(`${path} cannot be made or used as a directory`);
    expect(error.detail).toContain('name another');
  });
});
