/** Trimming the log on NATS: what is asked of the servers, and what is refused without harm. */
import { beforeEach, describe, expect, it } from 'vitest';
import { lastSeqOf } from '../../../src/engines/nats/record-frame.ts';
import type { Seq } from '../../../src/ports/log.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { natsAnswer } from '../../helpers/fake-nats-client.ts';
import {
  type NatsLogDesk,
  natsLogAck,
  natsLogDesk,
  natsLogPlace,
  natsLogStored,
  noMessage,
  recordOf,
} from '../../helpers/nats-log-desk.ts';

let desk: NatsLogDesk;

beforeEach(async () => {
  desk = await natsLogDesk();
});

/** Appends a message, which gets this sequence. */
async function append(behind: Seq, seq: number, ...texts: string[]): Promise<void> {
  desk.client.next(natsLogAck(seq));
  await desk.log.append('a/1', behind, texts.map(recordOf));
}

describe('a trim', () => {
  it('asks for nothing but what it keeps when a later snapshot is known', async () => {
    await append(0, 5, 'Snapshot');
    await append(lastSeqOf(5), 7, 'Snapshot');
    await append(lastSeqOf(7), 9, 'Snapshot');
    desk.client.next(
      natsLogStored(7, { previous: 5 }, ['Snapshot']),
      natsAnswer({ success: true }),
    );
    await desk.log.trim('a/1', lastSeqOf(7));
    const { stream } = natsLogPlace;
    expect(desk.subjects().slice(3)).toEqual([
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.STREAM.PURGE.${stream}`,
    ]);
    expect(JSON.parse(Buffer.from(desk.sent(4).payload).toString())).toMatchObject({ seq: 7 });
  });

  it('removes nothing when nothing lies before', async () => {
    await append(0, 5, 'Snapshot');
    await append(lastSeqOf(5), 7, 'Snapshot');
    desk.client.next(natsLogStored(5, {}, ['Snapshot']));
    await desk.log.trim('a/1', lastSeqOf(5));
    expect(desk.client.requests).toHaveLength(3);
  });

  it('is refused behind a snapshot that stands in the same message', async () => {
    await append(0, 9, 'Snapshot', 'behind');
    desk.client.standing = noMessage;
    desk.client.next(natsLogStored(9, {}, ['Snapshot', 'behind']));
    const trimming = desk.log.trim('a/1', lastSeqOf(9));
    expect((await failureOf(trimming)).code).toBe('INVALID_INPUT');
  });
});
