/**
 * Mistakes that must not compile. Each `@ts-expect-error` is a promise: when the line below it
 * compiles, tsc says so.
 */
import { z } from 'zod';
import { account } from '../../examples/account/account.ts';
import { ledger } from '../../examples/account/ledger.ts';
import { type CreateTroupe, defineAgent, implement, read, task, turn } from '../../src/index.ts';
import { counter, shelf, troupe } from './fixtures.ts';

const alice = troupe.agents.get('account/alice');
const one = troupe.agents.get('counter/one');
declare const createTroupe: CreateTroupe;

/** Names that do not exist. */
export async function names(): Promise<void> {
  // @ts-expect-error unknown type
  troupe.agents.get('acount/alice');
  // @ts-expect-error no key
  troupe.agents.get('account');
  // @ts-expect-error a contract that the node does not know
  createTroupe({ agents: [ledger] }).agents.get(account, 'alice');
  // @ts-expect-error neither contract nor implementation
  createTroupe({ agents: ['account'] });
  // @ts-expect-error an option that does not exist
  createTroupe({ agents: [ledger], dta: './data' });
  // @ts-expect-error unknown action
  await alice.execute('mov', { amount: 1 });
  // @ts-expect-error unknown action
  await alice.tryExecute('mov', { amount: 1 });
  // @ts-expect-error unknown action
  await alice.send('mov', { amount: 1 });
  // @ts-expect-error a read cannot be sent
  await alice.send('balance');
  // @ts-expect-error only tasks stream
  alice.stream('move', { amount: 1 });
  // @ts-expect-error unknown event
  alice.on('moves', () => {});
  // @ts-expect-error unknown signal
  await alice.signal('aprove', { by: 'eve' });
  // @ts-expect-error unknown type
  await troupe.agents.list({ type: 'acount' });
}

/** Values that do not fit. */
export async function values(): Promise<void> {
  // @ts-expect-error wrong input
  await alice.execute('move', { amount: '10' });
  // @ts-expect-error missing input
  await alice.execute('move');
  // @ts-expect-error too much input
  await alice.execute('move', { amount: 10, currency: 'EUR' });
  // @ts-expect-error no input is taken
  await alice.execute('audit', { amount: 10 });
  // @ts-expect-error wrong input
  alice.request('move', 10);
  // @ts-expect-error wrong signal
  await alice.signal('approve', { by: 7 });
  // @ts-expect-error wrong output
  const text: string = await alice.execute('move', { amount: 1 });
  // @ts-expect-error wrong event
  alice.on('moved', (data: { amount: string }) => console.log(text, data));
  // @ts-expect-error missing timeout
  await alice.call('move', { amount: 1 });
  // @ts-expect-error missing timeout
  await alice.call('move', { amount: 1 }, {});
  // @ts-expect-error not a duration
  await alice.execute('move', { amount: 1 }, { timeout: '2 seconds' });
  // @ts-expect-error not a guarantee
  await alice.send('move', { amount: 1 }, { delivery: 'exactly-once' });
  // @ts-expect-error not a priority
  await alice.send('move', { amount: 1 }, { priority: 1 });
  // @ts-expect-error not a moment
  await alice.stateAt(7);
}

/** What agents in memory only do not have. */
export async function withoutRecords(): Promise<void> {
  // @ts-expect-error no request
  one.request('add', 1);
  // @ts-expect-error no stream
  one.stream('add', 1);
  // @ts-expect-error no signal
  await one.signal('go', {});
  // @ts-expect-error no events
  one.on('added', () => {});
  // @ts-expect-error no history
  one.events();
  // @ts-expect-error no history
  await one.stateAt({ version: 1 });
  // @ts-expect-error no recorded deletion
  await one.delete();
  // @ts-expect-error no exactly once
  await one.send('add', 1, { delivery: 'exactly_once' });
  // @ts-expect-error no keys
  await one.execute('add', 1, { idempotencyKey: 'a' });
  // @ts-expect-error no keys
  await one.tryExecute('add', 1, { idempotencyKey: 'a' });
}

const state = z.object({ count: z.number().default(0) });

// @ts-expect-error no events on none
defineAgent('a', { state, consistency: 'none', events: { added: state }, actions: {} });
// @ts-expect-error no signals on none
defineAgent('a', { state, consistency: 'none', signals: { go: state }, actions: {} });
// @ts-expect-error no tasks on none
defineAgent('a', { state, consistency: 'none', actions: { run: task() } });
// @ts-expect-error a level that does not exist yet
defineAgent('a', { state, consistency: 'session', actions: {} });
// @ts-expect-error the schema does not accept {}
defineAgent('a', { state: z.object({ count: z.number() }), actions: {} });
// @ts-expect-error wrong initial state
defineAgent('a', { state: z.object({ n: z.number() }), initial: () => ({ n: '1' }), actions: {} });
// @ts-expect-error not an action
defineAgent('a', { state, actions: { add: { input: state } } });
// @ts-expect-error an option that does not exist
defineAgent('a', { state, actions: {}, event: {} });
// @ts-expect-error a limit that does not exist
defineAgent('a', { state, actions: {}, limits: { mailboxMax: 1 } });
// @ts-expect-error an option that does not exist
turn({ inputs: state });
// @ts-expect-error only tasks have a stream
read({ stream: state });
// @ts-expect-error only tasks have a timeout
turn({ timeout: '1s' });

const small = defineAgent('small', {
  state,
  events: { added: z.object({ by: z.number() }) },
  signals: { go: z.object({ on: z.boolean() }) },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    count: read({ output: z.number() }),
    work: task({ output: z.string(), stream: z.number() }),
  },
});
const add = (): number => 1;
const count = (): number => 1;
const work = async (): Promise<string> => '';

// @ts-expect-error an action without behaviour
implement(small, { add, count });
// @ts-expect-error a behaviour without action
implement(small, { add, count, work, more: () => 1 });
// @ts-expect-error wrong output of a turn
implement(small, { add: () => '1', count, work });
// @ts-expect-error wrong output of a read
implement(small, { add, count: ctx => String(ctx.state.count), work });
// @ts-expect-error wrong output of a task
implement(small, { add, count, work: async () => 1 });
// @ts-expect-error no output where one is declared
implement(small, { add: () => {}, count, work });
// @ts-expect-error migrate to something that is no state
implement(small, { add, count, work }, { migrate: () => ({ count: 'one' }) });

/** Turns. */
export const turns = implement(small, {
  async add(ctx, amount) {
    // @ts-expect-error the input is a number
    amount.by;
    // @ts-expect-error wrong state
    ctx.state.count = '1';
    // @ts-expect-error wrong state
    ctx.state = { total: 1 };
    // @ts-expect-error unknown event
    ctx.emit('aded', { by: 1 });
    // @ts-expect-error wrong event
    ctx.emit('added', { by: '1' });
    // @ts-expect-error a turn awaits no other agent's turn
    await ctx.get(account, 'alice').execute('move', { amount: 1 });
    // @ts-expect-error a turn awaits no task
    await ctx.get(account, 'alice').execute('payOut', { amount: 1 });
    // @ts-expect-error a turn has no other way to call
    ctx.get(account, 'alice').request('balance');
    // @ts-expect-error reads are not sent
    ctx.send(account, 'alice', 'balance');
    // @ts-expect-error wrong input
    ctx.send(account, 'alice', 'move', { amount: '1' });
    // @ts-expect-error exactly once needs a record at both ends
    ctx.send(counter, 'one', 'add', 1, { delivery: 'exactly_once' });
    // @ts-expect-error keys are for callers outside
    ctx.send(account, 'alice', 'move', { amount: 1 }, { idempotencyKey: 'a' });
    // @ts-expect-error unknown action
    ctx.after('1s', 'ad', 1);
    // @ts-expect-error a timer needs the input of its action
    ctx.after('1s', 'add');
    // @ts-expect-error a timer runs no read
    ctx.every('1s', 'count');
    // @ts-expect-error not a policy
    ctx.every('1s', 'add', 1, { missed: 'some' });
    // @ts-expect-error steps are for tasks
    await ctx.step('one', {}, () => 1);
    // @ts-expect-error waiting is for tasks
    await ctx.waitFor('go');
    // @ts-expect-error sleeping is for tasks
    await ctx.sleep('1s');
    // @ts-expect-error the turn is the update
    await ctx.update(() => 1);
    // @ts-expect-error writing is for tasks
    ctx.write(1);
    return 1;
  },
  count(ctx) {
    // @ts-expect-error a read changes nothing
    ctx.state.count = 1;
    // @ts-expect-error a read changes nothing
    ctx.state = { count: 1 };
    // @ts-expect-error a read emits nothing
    ctx.emit('added', { by: 1 });
    // @ts-expect-error a read sends nothing
    ctx.send(ledger, 'main', 'entry', { amount: 1 });
    // @ts-expect-error a read sets no timers
    ctx.after('1s', 'add', 1);
    // @ts-expect-error a read awaits reads only
    ctx.get(ledger, 'main').execute('entry', { amount: 1 });
    return ctx.state.count;
  },
  async work(ctx) {
    // @ts-expect-error state changes in update
    ctx.state.count = 1;
    // @ts-expect-error events belong to update
    ctx.emit('added', { by: 1 });
    // @ts-expect-error timers belong to update
    ctx.after('1s', 'add', 1);
    // @ts-expect-error rejecting belongs to turns
    ctx.reject('no');
    // @ts-expect-error wrong chunk
    ctx.write('1');
    // @ts-expect-error unknown signal
    await ctx.waitFor('stop');
    // @ts-expect-error wrong signal
    const on: string = (await ctx.waitFor('go')).on;
    // @ts-expect-error the default may come instead of the signal
    (await ctx.waitFor('go', { timeout: '1s', default: null })).on;
    // @ts-expect-error a timeout needs a default
    await ctx.waitFor('go', { timeout: '1s' });
    // @ts-expect-error not a policy
    await ctx.step('one', {}, () => 1, { onUnknown: 'ignore' });
    // @ts-expect-error a finding of another type
    await ctx.step('one', {}, () => 1, { onUnknown: () => ({ value: '1' }) });
    // @ts-expect-error unknown action
    await ctx.get(account, 'alice').execute('mov', { amount: 1 });
    // @ts-expect-error wrong input
    await ctx.get(account, 'alice').execute('move', { amount: '1' });
    await ctx.update(async turn => {
      // @ts-expect-error an update is a turn
      await turn.get(account, 'alice').execute('move', { amount: 1 });
    });
    return on;
  },
});

/** Every way to change what may only be looked at. */
export const readOnly = implement(shelf, {
  look(ctx) {
    const { since, prices, tags, items } = ctx.state;
    // @ts-expect-error a date
    since.setTime(0);
    // @ts-expect-error a date
    since.setFullYear(1999);
    // @ts-expect-error a map
    prices.set('a', { cents: 1 });
    // @ts-expect-error a map
    prices.clear();
    // @ts-expect-error a value of a map
    for (const price of prices.values()) price.cents = 1;
    // @ts-expect-error a set
    tags.add('new');
    // @ts-expect-error a set
    tags.delete('old');
    // @ts-expect-error an array
    items.push({ name: 'new' });
    // @ts-expect-error an array
    items.sort();
    // @ts-expect-error an array
    items[0] = { name: 'other' };
    // @ts-expect-error an array
    items.length = 0;
    for (const item of items) {
      // @ts-expect-error an item of an array
      item.name = 'other';
    }
    return items;
  },
  rename: () => {},
  async sort(ctx) {
    // @ts-expect-error an array
    ctx.state.items.reverse();
    // @ts-expect-error a date
    ctx.state.since.setTime(0);
    // @ts-expect-error a map
    ctx.state.prices.delete('a');
    // @ts-expect-error a set
    ctx.state.tags.clear();
    // @ts-expect-error this task declares no stream
    ctx.write('chunk');
    return new Date(0);
  },
});

/** Turns in memory only. */
export const volatile = implement(counter, {
  add(ctx, amount) {
    // @ts-expect-error no events
    ctx.emit('added', {});
    // @ts-expect-error no timers
    ctx.after('1s', 'touch');
    // @ts-expect-error no timers
    ctx.every('1s', 'touch');
    // @ts-expect-error no timers
    ctx.cancelTimer('touch');
    // @ts-expect-error no exactly once
    ctx.send(ledger, 'main', 'entry', { amount }, { delivery: 'exactly_once' });
    // @ts-expect-error no keys
    ctx.send(ledger, 'main', 'entry', { amount }, { idempotencyKey: 'a' });
    // @ts-expect-error awaits reads only
    ctx.get(ledger, 'main').execute('entry', { amount });
    return amount;
  },
  touch: () => {},
  // @ts-expect-error a read changes nothing, here neither
  count: ctx => ++ctx.state.count,
});

// @ts-expect-error a behaviour that takes another input
implement(counter, { add: (_ctx, amount: string) => Number(amount), touch: () => {}, count });
