/**
 * Long answers of the admin API: one JSON value a line, written as the reader takes them, so that
 * neither side holds all of them. A failure on the way is a last line `{ "error": … }`.
 */
import type { Context } from 'hono';
import { wrapError } from '../core/errors.ts';
import { toWire } from './wire.ts';

/** The content type of such answers. */
export const linesType = 'application/x-ndjson';

/** Answers with what `open` gives. The signal it gets is aborted when the reader goes away. */
export function streamLines(
  context: Context,
  open: (abortSignal: AbortSignal) => AsyncIterable<unknown> | Iterable<unknown>,
): Response {
  const abort = new AbortController();
  const lines = linesOf(open(abort.signal));
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`${value}\n`));
    },
    cancel: () => abort.abort(),
  });
  return context.body(stream, 200, { 'content-type': linesType });
}

const encoder = new TextEncoder();

async function* linesOf(
  values: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<string> {
  try {
    for await (const value of values) yield JSON.stringify(toWire(value));
  } catch (thrown) {
    const error = wrapError('INVARIANT_BROKEN', thrown, 'an answer in lines');
    yield JSON.stringify({ error: toWire(error.toValue()) });
  }
}
