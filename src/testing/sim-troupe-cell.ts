/**
 * The agents of the simulated world: they count, send, set timers and run jobs as they are told,
 * and each turn writes into its history what it did. State has a form for each state version, so
 * that a restart with newer code has something to migrate.
 */
import type { ReadContext } from '../agent/contexts.ts';
import type { Contract } from '../agent/contract.ts';
import { type Implementation, implement } from '../agent/implementation.ts';
import { TroupeError } from '../core/errors.ts';
import {
  type CellContract,
  type CellContracts,
  type CellState,
  type CellTurn,
  unitOf,
} from './sim-troupe-contract.ts';
import {
  type Alarm,
  type Deed,
  type Errand,
  type RingInput,
  splitAddress,
  type Tally,
  withOrigin,
} from './sim-troupe-deeds.ts';
import { runJob } from './sim-troupe-job.ts';
import { mothAgent } from './sim-troupe-moth.ts';
import type { DeedTools, Surroundings } from './sim-troupe-surroundings.ts';

/** Gives the cells of a world their behaviour. */
export function cellAgents(
  contracts: CellContracts,
  surroundings: Surroundings,
): Implementation<Contract>[] {
  const tools = { contracts, clock: surroundings.clock };
  const agentOf = (contract: CellContract): Implementation<Contract> =>
    implement(
      contract,
      {
        act: (ctx, deed) => act(ctx, deed, tools),
        peek: ctx => tallyOf(ctx.state),
        ring: (ctx, input) => ring(ctx, input),
        look: ctx => tallyOf(ctx.state),
        job: (ctx, job) => runJob(ctx, job, { ...surroundings, contracts, act }),
      },
      {
        migrate(old, from) {
          const state = old as CellState;
          const factor = unitOf(contract.stateVersion) / unitOf(from);
          return { ...state, value: state.value * factor, form: contract.stateVersion };
        },
      },
      // The list of a node holds implementations of any contract.
    ) as unknown as Implementation<Contract>;
  return [agentOf(contracts.cell), agentOf(contracts.mayfly), mothAgent(tools, surroundings.notes)];
}

/** Carries out a deed. */
export function act(ctx: CellTurn, deed: Deed, tools: DeedTools): Tally | Promise<Tally> {
  mayThrow(ctx, deed.throws);
  const isAtOnce = deed.lingers === undefined && deed.looksAt === undefined;
  return isAtOnce ? finish(ctx, deed, tools.contracts) : actLater(ctx, deed, tools);
}

async function actLater(
  ctx: CellTurn,
  deed: Deed,
  { contracts, clock }: DeedTools,
): Promise<Tally> {
  const { lingers, looksAt } = deed;
  if (lingers !== undefined) await new Promise<void>(done => void clock.setTimer(lingers, done));
  if (looksAt !== undefined) {
    const { type, key } = splitAddress(looksAt);
    await ctx.get(contracts[type], key).execute('look');
  }
  return finish(ctx, deed, contracts);
}

function finish(ctx: CellTurn, deed: Deed, contracts: CellContracts): Tally {
  const { command, amount, origin } = deed;
  change(ctx, amount);
  if (deed.arms !== undefined) arm(ctx, deed.arms, command);
  if (deed.disarms !== undefined) ctx.cancelTimer(deed.disarms);
  for (const errand of deed.sends ?? []) dispatch(ctx, errand, contracts);
  const output = tallyOf(ctx.state);
  const at = ctx.now();
  ctx.emit('did', {
    command,
    action: 'act',
    amount,
    output,
    at,
    ...(origin === undefined ? {} : { origin }),
  });
  return output;
}

function ring(ctx: CellTurn, timer: RingInput): Tally {
  mayThrow(ctx, timer.throws);
  change(ctx, 1);
  const output = tallyOf(ctx.state);
  const at = ctx.now();
  // A ring that was given up may be sent again in another life of the agent, which counts anew.
  const command = `${timer.token} rings ${timer.id} at ${output.turns}, ${at}`;
  ctx.emit('did', { command, action: 'ring', amount: 1, output, timer, at });
  return output;
}

function change(ctx: CellTurn, amount: number): void {
  const { state } = ctx;
  const before = tallyOf(state);
  if (before.total + amount < 0) ctx.reject('too_little', before);
  if (state.life === 0) state.life = 1 + Math.floor(ctx.random() * 1_000_000_000);
  state.value += amount * unitOf(state.form);
  state.turns += 1;
}

function arm(ctx: CellTurn, { id, ms, every, throws }: Alarm, token: string): void {
  const input: RingInput = { id, token, ...(throws === undefined ? {} : { throws }) };
  if (every === undefined) ctx.after(ms, 'ring', input, { id });
  else if (every === 'span') ctx.every(ms, 'ring', input, { id, missed: 'once' });
  else ctx.every('* * * * *', 'ring', input, { id, timeZone: 'Europe/Berlin', missed: 'skip' });
}

/** Sends a deed to another agent, with its place in what was sent there. */
export function dispatch(ctx: CellTurn, errand: Errand, contracts: CellContracts): void {
  const { to, lane, deed, delivery } = errand;
  const { type, key } = splitAddress(to);
  if (delivery !== undefined) {
    ctx.send(contracts[type], key, 'act', deed, { priority: lane, delivery });
    return;
  }
  const { state } = ctx;
  const place = `${lane} ${to}`;
  const number = (state.sent[place] ?? 0) + 1;
  state.sent[place] = number;
  const numbered = withOrigin(deed, { sender: `${ctx.address}~${state.life}`, lane, number });
  ctx.send(contracts[type], key, 'act', numbered, { priority: lane });
}

/** Throws as often as a deed says. */
export function mayThrow(ctx: { random(): number }, throws: number | undefined): void {
  if (throws === undefined || ctx.random() >= throws) return;
  throw new TroupeError('POOL_EXHAUSTED', { detail: 'this attempt was told to throw' });
}

function tallyOf(state: ReadContext<CellContract>['state']): Tally {
  return { total: state.value / unitOf(state.form), turns: state.turns };
}
