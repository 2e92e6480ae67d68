/** The past of an agent, read from its log: events, states at earlier moments, differences. */

import type { Contract } from '../agent/contract.ts';
import { Fold } from '../agent/fold.ts';
import type {
  AgentEvent,
  EventMeta,
  EventsOptions,
  Moment,
  StateAt,
  StateChange,
} from '../agent/history-types.ts';
import { initialState, readAll } from '../agent/load.ts';
import { parseAddress } from '../core/address.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue, previewOf } from '../core/values.ts';
import { emptyImage } from '../state/image.ts';
import { decodeRecord, type TurnRecord } from '../state/record.ts';
import type { ClientKernel } from './kernel.ts';
import { changesBetween } from './state-changes.ts';

/** The kept events of an agent, oldest first, and then new ones if asked to follow. */
export async function* eventsOf(
  kernel: ClientKernel,
  address: string,
  options: EventsOptions = {},
): AsyncGenerator<AgentEvent<Contract>> {
  const { from = 0, follow = false, abortSignal } = options;
  const news = new News();
  const stop = follow ? kernel.events.on(address, undefined, () => news.ring()) : undefined;
  abortSignal?.addEventListener('abort', () => news.ring(), { once: true });
  const isOver = () => abortSignal?.aborted === true;
  try {
    let after = 0;
    while (!isOver()) {
      for await (const stored of readAll(kernel.log, address, after)) {
        after = stored.seq;
        yield* eventsIn(address, decodeRecord(stored.bytes, `${address} at ${stored.seq}`), from);
        if (isOver()) return;
      }
      if (!follow) return;
      await news.wait();
    }
  } finally {
    stop?.();
  }
}

/** A state in the history: shared with the fold, so copied before it is shown. */
interface Found {
  readonly record: TurnRecord;
  readonly state: unknown;
  readonly hasState: boolean;
}

/** The state of an agent at a moment. */
export async function stateAt(
  kernel: ClientKernel,
  address: string,
  moment: Moment,
): Promise<StateAt<unknown>> {
  checkMoment(moment, address);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await foldTo(kernel, address, moment);
    } catch (error) {
      // History that is cut while it is read looks like a broken chain; read anew, it does not.
      if (!TroupeError.is(error) || error.code !== 'LOG_CORRUPT' || attempt >= readsMax)
        throw error;
    }
  }
}

/** A break in the chain that shows in so many reads is one. */
const readsMax = 3;

async function foldTo(
  kernel: ClientKernel,
  address: string,
  moment: Moment,
): Promise<StateAt<unknown>> {
  const { type, key } = parseAddress(address);
  const fold = new Fold(address, emptyImage('', 0, 0), kernel.retention);
  let found: Found | undefined;
  let isAny = false;
  for await (const stored of readAll(kernel.log, address, 0)) {
    isAny = true;
    const record = fold.add(stored);
    if (isBehind(record, moment)) break;
    if (!isSnapshotOnly(record) || found === undefined) {
      const { state, hasState } = fold.image;
      found = { record, state, hasState };
    }
  }
  const { record, state, hasState } = checked(found, { address, moment, isAny });
  const { epoch, version, at } = record;
  // What was deleted, or never recorded, is what an agent begins with.
  const shown = hasState
    ? copyValue(state, `${address} v${version}`)
    : initialState(kernel.router.contractOf(type), key);
  return { state: shown, epoch, version, at: new Date(at) };
}

/** What changed between two moments. */
export async function diffOf(
  kernel: ClientKernel,
  address: string,
  before: Moment,
  after: Moment,
): Promise<readonly StateChange[]> {
  const [earlier, later] = [
    await stateAt(kernel, address, before),
    await stateAt(kernel, address, after),
  ];
  return changesBetween(earlier.state, later.state);
}

function checkMoment(moment: Moment, address: string): void {
  const { version, time } = Object(moment) as { version?: unknown; time?: Date | number };
  const isVersion = Number.isSafeInteger(version) && Number(version) >= 0;
  if (isVersion || (version === undefined && Number.isFinite(Number(time)))) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `${address}: ${previewOf(moment)} is no moment; write { version: 3 } or { time: new Date(…) }`,
  });
}

function isBehind(record: TurnRecord, moment: Moment): boolean {
  if ('version' in moment) return record.version > moment.version;
  return record.at > Number(moment.time);
}

function isSnapshotOnly(record: TurnRecord): boolean {
  return record.ops.length === 1 && record.ops[0]?.[0] === 'image';
}

function checked(
  found: Found | undefined,
  { address, moment, isAny }: { address: string; moment: Moment; isAny: boolean },
): Found {
  const what =
    'version' in moment
      ? `version ${moment.version}`
      : `the time ${new Date(Number(moment.time)).toISOString()}`;
  if (found === undefined) {
    throw new TroupeError(isAny ? 'HISTORY_TRIMMED' : 'INVALID_INPUT', {
      detail: isAny
        ? `${what} of ${address} is no longer kept (limits.historyVersions)`
        : `${address} has no history`,
    });
  }
  if ('version' in moment && found.record.version !== moment.version) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `${address} has no ${what}; its last one is ${found.record.version}`,
    });
  }
  return found;
}

function* eventsIn(
  address: string,
  record: TurnRecord,
  from: number,
): Generator<AgentEvent<Contract>> {
  if (record.version < from) return;
  let index = 0;
  for (const op of record.ops) {
    if (op[0] !== 'event') continue;
    const { epoch, version, at } = record;
    const meta: EventMeta = { agent: address, epoch, version, index, at: new Date(at) };
    yield { ...meta, name: op[1], data: op[2] } as AgentEvent<Contract>;
    index += 1;
  }
}

/** A bell that does not forget that it was rung. */
class News {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async wait(): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#isRung = false;
    this.#wake = undefined;
  }
}
