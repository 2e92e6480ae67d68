/**
 * Agents of the simulated world that live in memory only: they count and send like the others, but
 * what they know is gone with their process, and what they send is promised from memory.
 */
import type { Contract } from '../agent/contract.ts';
import { type Implementation, implement } from '../agent/implementation.ts';
import { TroupeError } from '../core/errors.ts';
import type { MothContract, MothTurn } from './sim-troupe-contract.ts';
import { type Deed, type Errand, type MothTally, splitAddress } from './sim-troupe-deeds.ts';
import type { NotebookPages } from './sim-troupe-notes.ts';
import type { DeedTools } from './sim-troupe-surroundings.ts';

/** Gives moths their behaviour. */
export function mothAgent(tools: DeedTools, notes: NotebookPages): Implementation<Contract> {
  // The world hands contracts around as those of cells, of which moths know a part.
  const contract = tools.contracts.moth as unknown as MothContract;
  return implement(contract, {
    async act(ctx, deed) {
      if (ctx.random() < (deed.throws ?? 0)) {
        throw new TroupeError('POOL_EXHAUSTED', { detail: 'this attempt was told to throw' });
      }
      const { lingers } = deed;
      if (lingers !== undefined)
        await new Promise<void>(done => void tools.clock.setTimer(lingers, done));
      return flutter(ctx, deed, { tools, notes });
    },
    look: ({ state: { total, turns, life } }) => ({ total, turns, life }),
    // The list of a node holds implementations of any contract.
  }) as unknown as Implementation<Contract>;
}

function flutter(
  ctx: MothTurn,
  { command, amount, sends }: Deed,
  { tools, notes }: { readonly tools: DeedTools; readonly notes: NotebookPages },
): MothTally {
  const { state, address: agent } = ctx;
  if (state.total + amount < 0) ctx.reject('too_little', { total: state.total });
  if (state.life === 0) state.life = 1 + Math.floor(ctx.random() * 1_000_000_000);
  state.total += amount;
  state.turns += 1;
  for (const errand of sends ?? []) dispatch(ctx, errand, tools);
  const { total, turns, life } = state;
  notes.moth({ agent, life, turns, total, command, amount });
  return { total, turns, life };
}

function dispatch(ctx: MothTurn, { to, lane, deed }: Errand, { contracts }: DeedTools): void {
  const { type, key } = splitAddress(to);
  const { state } = ctx;
  const place = `${lane} ${to}`;
  const number = (state.sent[place] ?? 0) + 1;
  state.sent[place] = number;
  const origin = { sender: `${ctx.address}~${state.life}`, lane, number };
  ctx.send(contracts[type], key, 'act', { ...deed, origin }, { priority: lane });
}
