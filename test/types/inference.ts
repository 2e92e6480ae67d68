/** What the types must infer. Checked by tsc only: a line that does not compile is the failure. */
import { account } from '../../examples/account/account.ts';
import { ledger } from '../../examples/account/ledger.ts';
import {
  type AgentEvent,
  type AgentRef,
  type Contract,
  implement,
  type Position,
  type Troupe,
  type TroupeError,
} from '../../src/index.ts';
import { leftAgent, rightAgent } from './circle.ts';
import { counter, shelf, troupe } from './fixtures.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when both types are the same. */
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {}

/** The program of the introduction. */
export async function main(): Promise<void> {
  await troupe.start();
  const alice = troupe.agents.get('account/alice');
  const balance = await alice.execute('move', { amount: 10 });
  same<typeof balance, number>();
  same<typeof alice, AgentRef<typeof account>>();
  await troupe.stop({ drain: '10s' });
}

/** References, outside. */
export async function references(): Promise<void> {
  const alice = troupe.agents.get(account, 'alice');
  const nothing = await alice.execute('audit');
  same<typeof nothing, undefined>();
  await alice.execute('audit', undefined, { timeout: '2s', priority: 'high' });
  await alice.execute('move', { amount: 1 }, { idempotencyKey: 'invoice-7' });
  const total = await troupe.agents.get('ledger/main').execute('total');
  same<typeof total, number>();
  const result = await alice.tryExecute('move', { amount: 1 });
  if (result.ok) {
    same<typeof result.value, number>();
    const { agent, epoch, version }: Position & { agent: string } = result.position;
    console.log(agent, epoch, version);
  } else same<typeof result.error, TroupeError>();
  const called = await alice.call('balance', undefined, { timeout: '2s' });
  same<typeof called, number>();
  const { messageId } = await alice.send('move', { amount: 5 }, { delivery: 'exactly_once' });
  same<typeof messageId, string>();
  const future = alice.request('move', { amount: 1 }, { idempotencyKey: messageId });
  same<Awaited<typeof future>, number>();
  await future.recorded();
  await troupe.futures.get(future.id).cancel('no longer wanted');
  await troupe.agents.get(shelf, 'one').execute('rename');
  await troupe.agents.get(shelf, 'one').execute('rename', 'new');
  const listed = await troupe.agents.list({ type: 'account', prefix: 'al', limit: 10 });
  same<(typeof listed.items)[number]['type'], 'account'>();
}

/** Addresses that are put together, and a node whose contracts are not known to the compiler. */
export async function loose(id: string, node: Troupe = troupe): Promise<void> {
  const alice = troupe.agents.get(`account/${id}`);
  same<typeof alice, AgentRef<typeof account>>();
  const any = node.agents.get(`${id}/one`);
  const answer = await any.execute(id, { anything: id }, { timeout: '2s' });
  same<typeof answer, unknown>();
  const contract: Contract = account;
  await node.agents.get(contract, id).send(id);
}

/** Streams, events and history. */
export async function history(): Promise<void> {
  const alice = troupe.agents.get('account/alice');
  const stream = alice.stream('payOut', { amount: 5 }, { idempotencyKey: 'one', from: 1 });
  for await (const chunk of stream) same<typeof chunk, string>();
  same<Awaited<typeof stream.result>, string>();
  await alice.signal('approve', { by: 'eve' }, { run: 'one' });
  const stop = alice.on('moved', ({ amount }, meta) => console.log(amount, meta.version, meta.at));
  stop();
  for await (const event of alice.events({ from: 3, follow: true })) {
    same<typeof event.name, 'moved'>();
    same<typeof event, AgentEvent<typeof account>>();
    console.log(event.data.amount, event.version);
  }
  const { state, version } = await alice.stateAt({ version: 3 });
  console.log(state.balance, version);
  const [change] = await alice.diff({ time: new Date(0) }, { version: 3 });
  console.log(change?.path, change?.before);
  await alice.delete();
}

/** What is not about one agent. */
export async function node(): Promise<void> {
  const alice = troupe.agents.get('account/alice');
  const [run] = await alice.runs.list({ status: 'asking' });
  if (run !== undefined) await troupe.runs.resolve(run.id, 'transfer', { value: 'receipt 1' });
  const all = await troupe.runs.list({ type: 'account', limit: 5 });
  await troupe.runs.cancel(all.items[0]?.id ?? '', 'enough');
  const dead = await troupe.deadLetters.list();
  await troupe.deadLetters.retry(dead.items[0]?.id ?? '');
  troupe.bus.subscribe('agent.lifecycle.*', event => same<typeof event.agent, string>());
  troupe.bus.subscribe('orders.>', data => same<typeof data, unknown>());
  await troupe.bus.publish('orders.created', { id: 1 });
  await using scoped = troupe;
  await scoped.start();
}

/** Agents in memory only have what needs no record. */
export async function volatile(): Promise<void> {
  const one = troupe.agents.get('counter/one');
  const count = await one.execute('add', 1, { delivery: 'at_most_once', timeout: 100 });
  same<typeof count, number>();
  await one.send('add', 2);
  await one.call('count', undefined, { timeout: '1s' });
  await troupe.agents.get(counter, 'two').tryExecute('count');
}

const empty = { prices: new Map(), tags: new Set<string>(), items: [], extra: null };

/** Contexts, with what is read-only given out as output and input. */
export const shelfAgent = implement(
  shelf,
  {
    look: ctx => ctx.state.items,
    rename(ctx, name) {
      same<typeof name, string | undefined>();
      ctx.state.since.setTime(ctx.now());
      ctx.state.prices.set('a', { cents: 1 });
      ctx.state.tags.add('new');
      ctx.state.items.push({ name: name ?? 'none' });
      ctx.state = { ...ctx.state, items: [] };
      ctx.local.set('last', ctx.caller);
      ctx.every('0 8 * * 1', 'rename', 'monday', { timeZone: 'Europe/Berlin', missed: 'skip' });
      ctx.every('10m', 'rename', undefined, { id: 'often' });
      ctx.after(500, 'sort', undefined, { id: 'soon' });
      ctx.cancelTimer('often');
      ctx.send(counter, 'one', 'add', 1, { delivery: 'at_least_once' });
      ctx.send(ledger, 'main', 'entry', { amount: 1 }, { delivery: 'at_most_once' });
      if (ctx.trace?.isSampled) ctx.logger.debug(ctx.trace.traceId, { id: ctx.correlationId });
    },
    async sort(ctx) {
      same<(typeof ctx.state.items)[number], { readonly name: string }>();
      same<typeof ctx.state.extra, unknown>();
      const count = await ctx.step('count', { of: 'tags' }, () => ctx.state.tags.size, {
        pure: true,
        retry: { attempts: 3, backoff: '1s' },
        onUnknown: async () => ({ value: 1 }),
      });
      same<typeof count, number>();
      const moved = await ctx.get(account, 'alice').execute('move', { amount: 1 }, { key: 'a' });
      same<typeof moved, number>();
      const when = await ctx.update(turn => turn.state.since, { key: 'when' });
      await ctx.sleep('1h');
      ctx.send(ledger, 'main', 'entry', { amount: count }, { key: 'b' });
      return when;
    },
  },
  { migrate: (old, from) => ({ since: new Date(from), ...empty, ...Object(old) }) },
);

/** Agents that refer to each other keep their types. */
export const circle = [leftAgent, rightAgent] as const;
same<(typeof circle)[0]['contract']['type'], 'left'>();
same<(typeof circle)[1]['contract']['type'], 'right'>();
