/**
 * One moment of the streams of a cluster. No read proves that it shows all that was acknowledged,
 * so a message is put behind it: once it is acknowledged, whoever has it has all that came before.
 */
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient } from './client.ts';
import { askJetStream, publishInto } from './jetstream.ts';
import {
  type LogLayout,
  logStreamName,
  logSubjectPrefix,
  markStreamName,
  markSubjectPrefix,
  shardsOfStream,
} from './log-subjects.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';

/** What fencing works with. */
export interface FenceParts extends RepeatParts {
  readonly client: NatsClient;
  readonly layout: LogLayout;
  /** How long it is tried while the servers cannot (default 20,000). */
  readonly patienceMs?: number | undefined;
}

/** How far a stream had come. */
export interface StreamEnd {
  readonly stream: string;
  /** The subjects of interest. */
  readonly subject: string;
  /** The sequence of the message that was put there; what is before it belongs to the moment. */
  readonly fenceSeq: number;
}

/** A moment: everything in the streams up to here, and nothing behind. */
export interface StreamsMoment {
  readonly logs: readonly StreamEnd[];
  readonly marks: StreamEnd;
}

/** Begins like the word of a hashed name and is none, so that no log has it. */
const fenceWord = '==copy';
const limits = { timeoutMs: 4_000, repeatMs: 20_000 } as const;

/** Whether a message is a fence and belongs to no log. */
export function isFence(subject: string): boolean {
  return subject.endsWith(`.${fenceWord}`);
}

/**
 * Notes how far all streams have come. Whoever wants one moment sees to it that nothing is being
 * appended meanwhile.
 *
 * @throws `NO_QUORUM`, `ENGINE_UNAVAILABLE`, `DISK_FULL`, `UNAUTHORIZED`.
 */
export async function fenceStreams(parts: FenceParts): Promise<StreamsMoment> {
  const { layout } = parts;
  const logPrefix = logSubjectPrefix(layout);
  const cutPrefix = markSubjectPrefix(layout, 'cut');
  const logs = Array.from({ length: layout.streamCount }, (_, index) => {
    const shard = shardsOfStream(layout, index)[0] ?? 0;
    const stream = logStreamName(layout, index);
    return fence(parts, stream, { subject: `${logPrefix}>`, at: `${logPrefix}${shard}` });
  });
  const marks = { subject: `${cutPrefix}>`, at: `${cutPrefix}0` };
  const [marked, ...ends] = await Promise.all([
    fence(parts, markStreamName(layout), marks),
    ...logs,
  ]);
  return { logs: ends, marks: marked };
}

/** Takes the fences away again. One that stays is in nobody's way. */
export async function removeFences({ client }: FenceParts, moment: StreamsMoment): Promise<void> {
  const { timeoutMs } = limits;
  await Promise.all(
    [...moment.logs, moment.marks].map(({ stream, fenceSeq: seq }) =>
      askJetStream(client, `STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true }, timeoutMs),
    ),
  );
}

/** Repeated while its fate is open: of several fences the last one counts. */
function fence(
  parts: FenceParts,
  stream: string,
  { subject, at }: { readonly subject: string; readonly at: string },
): Promise<StreamEnd> {
  const { timeoutMs } = limits;
  return repeat(
    parts,
    parts.patienceMs ?? limits.repeatMs,
    async (): Promise<Attempted<StreamEnd>> => {
      const place = `${at}.${fenceWord}`;
      const answer = await publishInto(parts.client, place, noBytes, { stream, timeoutMs });
      switch (answer.status) {
        case 'accepted':
          return { value: { stream, subject, fenceSeq: answer.seq } };
        case 'unavailable':
          if (!answer.isPassing) throw answer.cause;
          return { passing: answer.cause };
        case 'unknown':
          return { passing: answer.cause };
        case 'conflict':
          return { passing: refusedFence(stream) };
      }
    },
  );
}

function refusedFence(stream: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${stream} refused a message although nothing was expected of it`,
    outcome: 'not-executed',
  });
}

const noBytes = new Uint8Array();
