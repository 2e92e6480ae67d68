/**
 * Deduplication at the receiver. Because numbers of one sender and lane run strictly in order, the
 * set of consumed numbers above the floor is always one interval: `next` is all that must be kept,
 * with the replies that the sender may still ask for. Pure, and part of the agent's image.
 */
import type { Numbering } from '../core/envelope.ts';
import type { Retention, StoredReply } from './entries.ts';

/** What a receiver remembers of one sender and lane. */
export interface Stream {
  /** The lowest number the sender may still send again. */
  floor: number;
  /** The number that runs next: all below are consumed or abandoned. */
  next: number;
  /** Number and reply alternating, for numbers from the floor on. */
  replies: (number | StoredReply | null)[];
  /** When a message was last consumed. */
  at: number;
}

/** What to do with a message, given its numbering. */
export type Admission =
  | { readonly kind: 'run' }
  | { readonly kind: 'duplicate'; readonly reply: StoredReply | null }
  /** It was consumed, and its reply is no longer kept. */
  | { readonly kind: 'expired' }
  /** A lower number has to come first. */
  | { readonly kind: 'early' };

const run: Admission = { kind: 'run' };

/** The key of a stream in an image. */
export function streamKey(sender: string, lane: number): string {
  return lane === normalLane ? sender : `${lane} ${sender}`;
}

/** Most messages take the normal lane: its streams go by the name of the sender alone. */
const normalLane = 1;

/** Decides about a numbered message. Looks only: nothing changes until the message is consumed. */
export function admit(stream: Stream | undefined, numbering: Numbering): Admission {
  const { number, floor } = numbering;
  const next = Math.max(stream?.next ?? floor, floor);
  if (number === next) return run;
  if (number < next) return remembered(stream, number);
  const abandoned = numbering.abandoned;
  for (let between = next; between < number; between += 1) {
    if (abandoned === undefined || !abandoned.includes(between)) return { kind: 'early' };
  }
  return run;
}

function remembered(stream: Stream | undefined, number: number): Admission {
  const replies = stream?.replies ?? [];
  for (let at = 0; at < replies.length; at += 2) {
    if (replies[at] === number)
      return { kind: 'duplicate', reply: replies[at + 1] as StoredReply | null };
  }
  return { kind: 'expired' };
}

/** A message that was consumed. */
export interface Consumption {
  readonly sender: string;
  readonly lane: number;
  readonly number: number;
  readonly floor: number;
  readonly reply: StoredReply | null;
  readonly at: number;
}

/** Marks a message as consumed. */
export function consume(streams: Map<string, Stream>, consumption: Consumption): void {
  const { sender, lane, number, floor, reply, at } = consumption;
  const key = streamKey(sender, lane);
  const stream = streams.get(key);
  if (stream === undefined) {
    streams.set(key, { floor, next: number + 1, replies: [number, reply], at });
    return;
  }
  if (floor > stream.floor) {
    stream.floor = floor;
    dropRepliesBelow(stream, floor);
  }
  stream.next = number + 1;
  stream.replies.push(number, reply);
  stream.at = at;
}

function dropRepliesBelow(stream: Stream, floor: number): void {
  const { replies } = stream;
  let kept = 0;
  while (kept < replies.length && (replies[kept] as number) < floor) kept += 2;
  if (kept === replies.length) replies.length = 0;
  else if (kept > 0) replies.splice(0, kept);
}

/** Forgets senders that were silent for their window. */
export function forgetStreams(
  streams: Map<string, Stream>,
  now: number,
  retention: Retention,
): void {
  for (const [key, stream] of streams) {
    if (stream.at + windowOf(key, retention) < now) streams.delete(key);
  }
}

/** Whether a stream is so old that its sender cannot send again. */
export function isForgotten(
  key: string,
  stream: Stream,
  now: number,
  retention: Retention,
): boolean {
  return stream.at + windowOf(key, retention) < now;
}

/**
 * How long a sender is remembered after its last message, by its name or the key of its stream.
 * Senders outside agents are named by the incarnation of their node, which begins with `~`.
 */
export function windowOf(key: string, retention: Retention): number {
  const isOutside = key[0] === '~' || (key[1] === ' ' && key[2] === '~');
  return isOutside ? retention.dedupWindowMs : retention.resultWindowMs;
}
