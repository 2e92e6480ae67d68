/** The chunks of a task as an async iterable: asked for from an offset on, across restarts. */
import type { ChunkSlice } from '../agent/administration-reads.ts';
import type { TaskStream } from '../agent/references.ts';
import type { Reply } from '../core/envelope.ts';
import type { Message } from '../delivery/delivery.ts';
import { ask } from './asking.ts';
import { DurableFuture } from './future.ts';
import type { KernelSource } from './kernel.ts';

/** How a stream is opened. */
export interface StreamRequest {
  /** Starts the task, or finds it started. */
  readonly message: Message;
  /** The key of the request at its agent. */
  readonly request: string;
  /** The first chunk of interest. */
  readonly from: number;
}

/** Starts a task and reads what it writes. */
export function openStream(
  kernel: KernelSource,
  stream: StreamRequest,
): TaskStream<unknown, unknown> {
  const { message, request, from } = stream;
  const { type, key } = message;
  const started = kernel().delivery.deliver(message);
  const result = started.then(() => new DurableFuture(kernel, { type, key, request }));
  // The iteration tells the failure as well; nobody has to look at both.
  result.catch(() => undefined);
  return {
    result,
    [Symbol.asyncIterator]: () => chunksOf(kernel, message, started, from),
  };
}

async function* chunksOf(
  kernel: KernelSource,
  message: Message,
  started: Promise<Reply>,
  from: number,
): AsyncGenerator<unknown> {
  const { type, key } = message;
  const { value: runId } = await started;
  let next = from;
  while (true) {
    const input = { runId, from: next };
    const reply = await ask(kernel(), { type, key, action: '$chunks', input });
    const { chunks, isEnded } = reply.value as ChunkSlice;
    yield* chunks;
    next += chunks.length;
    if (isEnded) return;
  }
}
