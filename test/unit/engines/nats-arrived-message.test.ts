/** Messages that arrived: headers are read where they lie, or as the package has read them. */
import { headers, type Msg } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { ArrivedMessage } from '../../../src/engines/nats/arrived-message.ts';

/** A message in the middle of a larger buffer, as the package cuts it out of what it read. */
function message(
  head: string,
  body = 'body',
  more: Partial<Msg> & { size?: (() => number) | undefined } = {},
) {
  const bytes = Buffer.from(`HMSG before\r\n${head}${body}\r\nMSG behind`);
  const start = bytes.indexOf(head === '' ? body : head);
  const data = bytes.subarray(
    start + Buffer.byteLength(head),
    start + Buffer.byteLength(head + body),
  );
  const subject = 'été.a';
  const size = () => Buffer.byteLength(subject + head + body);
  return new ArrivedMessage({ subject, reply: '', data, size, ...more } as unknown as Msg);
}

describe('an arrived message', () => {
  it('has the headers that were sent before its payload', () => {
    const arrived = message('NATS/1.0\r\nNats-Sequence: 7\r\nOwn:a: b \r\nEmpty:\r\n\r\n');
    expect(arrived.headers).toEqual({ 'Nats-Sequence': '7', Own: 'a: b', Empty: '' });
    expect(arrived.status).toBe(0);
    expect(Buffer.from(arrived.payload).toString()).toBe('body');
  });

  it('has none when none were sent', () => {
    const arrived = message('');
    expect(arrived.headers).toEqual({});
    expect(arrived.status).toBe(0);
  });

  it.each([
    ['NATS/1.0 503\r\n\r\n', 503, {}],
    ['NATS/1.0 404 Message Not Found\r\n\r\n', 404, {}],
    ['NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n', 204, { 'Nats-Num-Pending': '0' }],
  ])('has the status of %j', (head, status, fields) => {
    const arrived = message(head, '');
    expect(arrived.status).toBe(status);
    expect(arrived.headers).toEqual(fields);
  });

  it('takes the first of several values, and no line without a name', () => {
    const arrived = message('NATS/1.0\r\nA: 1\r\nA: 2\r\nno name\r\nconstructor: c\r\n\r\n');
    expect(Object.entries(arrived.headers)).toEqual([
      ['A', '1'],
      ['constructor', 'c'],
    ]);
  });

  it.each<[string, (() => number) | undefined]>([
    ['their size is not known', undefined],
    ['they lie elsewhere', () => 40],
    ['they would lie before the buffer', () => 4_000],
  ])('has what the package read when %s', (_, size) => {
    const read = headers(204, 'EOB');
    read.append('Nats-Num-Pending', '0');
    const arrived = message('', 'body', { headers: read, size });
    expect(arrived.headers).toEqual({ 'Nats-Num-Pending': '0' });
    expect(arrived.status).toBe(204);
  });
});
