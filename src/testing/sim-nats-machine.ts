/**
 * What the entries of a stream do to its messages, the same on each replica: append with limits,
 * roll-up and duplicate window, purge, delete.
 */
import { natsError, type SimNatsError, type SimNatsStreamConfig } from './sim-nats-config.ts';
import type { SimNatsMachine } from './sim-nats-replica.ts';
import {
  bytesOfMessage,
  type NewMessage,
  type PurgeFilter,
  SimNatsStore,
  type StoreChange,
} from './sim-nats-store.ts';

/** An entry of a stream. */
export type StreamOp =
  | {
      readonly kind: 'append';
      readonly message: NewMessage;
      readonly rollup?: 'sub' | 'all' | undefined;
      readonly messageId?: string | undefined;
    }
  | { readonly kind: 'purge'; readonly filter: PurgeFilter; readonly timeMs: number }
  | { readonly kind: 'delete'; readonly seq: number; readonly timeMs: number };

/** What an entry came to: the place of a message, how many were purged, or a refusal. */
export type StreamResult =
  | { readonly seq: number }
  | { readonly purged: number }
  | { readonly error: SimNatsError };

// More than a server that lost its power was seen to forget.
const changesMax = 64;
const nothing: StoreChange = { removed: [] };

/** The state of one replica of a stream. */
export class StreamMachine implements SimNatsMachine<StreamOp, StreamResult> {
  store: SimNatsStore = new SimNatsStore();
  /** Ids of messages within the duplicate window, with the place of each. */
  messageIds: Map<string, { readonly seq: number; readonly timeMs: number }> = new Map();
  lastMessageId = '';
  /** Changes of the configuration reach every replica at once. */
  readonly #config: () => SimNatsStreamConfig;
  #changes: StoreChange[] = [];

  constructor(config: () => SimNatsStreamConfig) {
    this.#config = config;
  }

  apply(op: StreamOp): StreamResult {
    const [change, result] = this.#carryOut(op);
    this.#changes.push(change);
    if (this.#changes.length > changesMax) this.#changes.shift();
    return result;
  }

  undo(): boolean {
    const change = this.#changes.pop();
    if (change === undefined) return false;
    this.store.undo(change);
    return true;
  }

  copy(): StreamMachine {
    const copy = new StreamMachine(this.#config);
    copy.store = this.store.copy();
    copy.messageIds = new Map(this.messageIds);
    copy.lastMessageId = this.lastMessageId;
    copy.#changes = [...this.#changes];
    return copy;
  }

  /** Lets go of what is older than the stream keeps. */
  expire(nowMs: number): void {
    const ageMs = this.#config().max_age / 1_000_000;
    if (ageMs === 0) return;
    for (let oldest = this.store.oldest(); oldest !== undefined; oldest = this.store.oldest()) {
      if (oldest.timeMs > nowMs - ageMs) return;
      this.store.remove([oldest.seq]);
    }
  }

  #carryOut(op: StreamOp): [StoreChange, StreamResult] {
    if (op.kind === 'append') return this.#append(op);
    if (op.kind === 'purge') {
      const change = this.store.remove(this.store.purged(op.filter));
      return [change, { purged: change.removed.length }];
    }
    const change = this.store.remove([op.seq]);
    if (change.removed.length > 0) return [change, { purged: 1 }];
    return [change, { error: natsError(400, 10043, `sequence ${op.seq} not found`) }];
  }

  #append(op: StreamOp & { kind: 'append' }): [StoreChange, StreamResult] {
    const { message, rollup, messageId = '' } = op;
    this.expire(message.timeMs);
    const refusal = this.#refusal(message);
    if (refusal !== undefined) return [nothing, { error: natsError(503, 10077, refusal) }];
    const change = this.store.append(message, this.#pushedOut(message, rollup));
    const seq = change.added?.seq ?? 0;
    if (messageId !== '') {
      this.lastMessageId = messageId;
      this.messageIds.set(messageId, { seq, timeMs: message.timeMs });
      this.#forgetIds(message.timeMs);
    }
    return [change, { seq }];
  }

  #refusal(message: NewMessage): string | undefined {
    const { discard, discard_new_per_subject, ...max } = this.#config();
    if (discard !== 'new') return undefined;
    const { store } = this;
    const count = store.countOf(message.subject);
    const isFull = max.max_msgs_per_subject > 0 && count >= max.max_msgs_per_subject;
    if (isFull && discard_new_per_subject === true) return 'maximum messages per subject exceeded';
    // With several replicas it is not seen beforehand that an older message will make room.
    const isReplacing = isFull && max.num_replicas === 1;
    if (max.max_msgs > 0 && store.count >= max.max_msgs && !isReplacing) {
      return 'maximum messages exceeded';
    }
    const bytes = store.bytes + bytesOfMessage(message);
    return max.max_bytes > 0 && bytes > max.max_bytes && !isReplacing
      ? 'maximum bytes exceeded'
      : undefined;
  }

  /** The older messages that a new one takes the place of. */
  #pushedOut(message: NewMessage, rollup: 'sub' | 'all' | undefined): number[] {
    const { discard, max_msgs, max_bytes, max_msgs_per_subject } = this.#config();
    const { store } = this;
    if (rollup === 'all') return store.purged({});
    if (rollup === 'sub') return store.purged({ filter: message.subject });
    const gone =
      max_msgs_per_subject > 0 ? store.surplus(message.subject, max_msgs_per_subject - 1) : [];
    if (discard === 'new' || (max_msgs <= 0 && max_bytes <= 0)) return gone;
    return [...gone, ...this.#oldest(message, new Set(gone))];
  }

  #oldest(message: NewMessage, gone: ReadonlySet<number>): number[] {
    const { max_msgs, max_bytes } = this.#config();
    const oldest: number[] = [];
    let count = this.store.count + 1 - gone.size;
    let bytes = this.store.bytes + bytesOfMessage(message);
    for (let seq = this.store.firstSeq; seq <= this.store.lastSeq; seq++) {
      const isFull = (max_msgs > 0 && count > max_msgs) || (max_bytes > 0 && bytes > max_bytes);
      if (!isFull) break;
      const found = this.store.get(seq);
      if (found === undefined || gone.has(seq)) continue;
      oldest.push(seq);
      count--;
      bytes -= bytesOfMessage(found);
    }
    return oldest;
  }

  #forgetIds(nowMs: number): void {
    const windowMs = this.#config().duplicate_window / 1_000_000;
    for (const [id, { timeMs }] of this.messageIds) {
      if (timeMs > nowMs - windowMs) return;
      this.messageIds.delete(id);
    }
  }
}
