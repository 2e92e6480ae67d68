/**
 * The contract of the simulated agents, for each state version. What `value` means differs from one
 * version to the next, so that a state that was not migrated shows.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DurableTurnContext, VolatileTurnContext } from '../agent/contexts.ts';
import { type Action, type Contract, defineAgent, read, task, turn } from '../agent/contract.ts';
import type { TypeLimitOptions } from '../agent/limit-options.ts';
import type {
  CellType,
  Deed,
  Did,
  Job,
  MothTally,
  Nudge,
  RingInput,
  Tally,
} from './sim-troupe-deeds.ts';

/** The state of a cell; what `value` means depends on `form`, the state version. */
export interface CellState {
  value: number;
  turns: number;
  form: number;
  /** Drawn with the first deed: tells the lives of a deleted agent apart. */
  life: number;
  /** How many deeds were sent, by lane and receiver. */
  sent: Record<string, number>;
}

type Shape<Value> = StandardSchemaV1<Value, Value>;

/** The contract of a type of cells, as the code of a state version has it. */
export type CellContract = Contract<
  CellType,
  Shape<CellState>,
  {
    readonly act: Action<'turn', Shape<Deed>, Shape<Tally>, undefined>;
    readonly peek: Action<'turn', undefined, Shape<Tally>, undefined>;
    readonly ring: Action<'turn', Shape<RingInput>, Shape<Tally>, undefined>;
    readonly look: Action<'read', undefined, Shape<Tally>, undefined>;
    readonly job: Action<'task', Shape<Job>, Shape<readonly string[]>, Shape<string>>;
  },
  { readonly did: Shape<Did> },
  { readonly nudge: Shape<Nudge> },
  'strong'
>;

/** The context of a turn of a cell. */
export type CellTurn = DurableTurnContext<CellContract>;

/** The state of a moth. */
export interface MothState extends MothTally {
  total: number;
  turns: number;
  life: number;
  /** How many deeds were sent, by lane and receiver. */
  sent: Record<string, number>;
}

/** The contract of agents that live in memory only. */
export type MothContract = Contract<
  'moth',
  Shape<MothState>,
  {
    readonly act: Action<'turn', Shape<Deed>, Shape<MothTally>, undefined>;
    readonly look: Action<'read', undefined, Shape<MothTally>, undefined>;
  },
  Record<never, never>,
  Record<never, never>,
  'none'
>;

/** The context of a turn of a moth. */
export type MothTurn = VolatileTurnContext<MothContract>;

/** The types of a world. */
export type CellContracts = Readonly<Record<CellType, CellContract>>;

/** What one unit is in a state of that version. */
export function unitOf(form: number): number {
  return 10 ** (form - 1);
}

/** Makes the contract of a type. */
export function cellContract(
  type: CellType,
  stateVersion: number,
  limits: TypeLimitOptions,
): CellContract {
  const deed = schema<Deed>(isObject);
  const tally = schema<Tally>(isObject);
  return defineAgent(type, {
    state: schema<CellState>(value => isObject(value) && value.form === stateVersion),
    initial: () => ({ value: 0, turns: 0, form: stateVersion, life: 0, sent: {} }),
    stateVersion,
    limits,
    events: { did: schema<Did>(isObject) },
    signals: { nudge: schema<Nudge>(isObject) },
    actions: {
      act: turn({ input: deed, output: tally }),
      peek: turn({ output: tally }),
      ring: turn({ input: schema<RingInput>(isObject), output: tally }),
      look: read({ output: tally }),
      job: task({
        input: schema<Job>(isObject),
        output: schema<readonly string[]>(Array.isArray),
        stream: schema<string>(value => typeof value === 'string'),
        timeout: '20m',
      }),
    },
  });
}

/** Makes the contract of moths. */
export function mothContract(limits: TypeLimitOptions): MothContract {
  const tally = schema<MothTally>(isObject);
  return defineAgent('moth', {
    consistency: 'none',
    state: schema<MothState>(isObject),
    initial: () => ({ total: 0, turns: 0, life: 0, sent: {} }),
    limits,
    actions: {
      act: turn({ input: schema<Deed>(isObject), output: tally }),
      look: read({ output: tally }),
    },
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A schema that looks at the shape only: what is simulated is Troupe, not a schema library. */
function schema<Value>(fits: (value: unknown) => boolean): Shape<Value> {
  return {
    '~standard': {
      version: 1,
      vendor: 'troupe-simulator',
      validate: value =>
        // What does not fit is refused; what fits is a value of the type.
        fits(value) ? { value: value as Value } : { issues: [{ message: 'does not fit' }] },
    },
  };
}
