/** Links over TCP when peers are rude, slow or silent. */
import { once } from 'node:events';
import * as net from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { endpointOf, parseEndpoint } from '../../../src/engines/system/endpoint.ts';
import { type SystemLinkOptions, systemLink } from '../../../src/engines/system/link.ts';
import type { Link } from '../../../src/ports/link.ts';
import { Collected } from '../../../src/testing/law-checks.ts';
import { watchEnd } from '../../../src/testing/link-subject.ts';

const clock = systemClock();
const links: Link[] = [];

afterEach(() => Promise.all(links.splice(0).map(link => link.close())));

function openLink(options?: SystemLinkOptions): Link {
  const link = systemLink(options);
  links.push(link);
  return link;
}

/** A listener, what happens at its one connection, and a bare socket that speaks to it. */
async function openBare(options?: SystemLinkOptions) {
  const frames = new Collected<Uint8Array>(clock);
  const closes = new Collected<string>(clock);
  const listener = await openLink(options).listen('127.0.0.1:0', connection => {
    connection.onFrame(frame => frames.add(frame));
    connection.onClose(reason => closes.add(reason));
  });
  const { host, port } = parseEndpoint(listener.address);
  const socket = net.connect(port, host);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { frames, closes, socket };
}

it('cuts off a peer that announces a frame beyond the limit, without waiting for it', async () => {
  const { frames, closes, socket } = await openBare({ frameBytesMax: 10 });
  socket.write(Uint8Array.of(0, 0, 0, 1, 42, 0xff, 0xff, 0xff, 0xff));
  expect(await closes.count(1)).toEqual(['protocol']);
  // What came before it in the same chunk is not trusted either, or it was delivered whole.
  expect(frames.items.length).toBeLessThanOrEqual(1);
  socket.destroy();
});

it('tells a peer that ends between frames from one that ends within', async () => {
  const between = await openBare();
  between.socket.end(Uint8Array.of(0, 0, 0, 1, 42));
  expect(await between.closes.count(1)).toEqual(['closed']);
  expect(between.frames.items.map(frame => [...frame])).toEqual([[42]]);

  const within = await openBare();
  within.socket.end(Uint8Array.of(0, 0, 0, 9, 42));
  expect(await within.closes.count(1)).toEqual(['reset']);
  expect(within.frames.items).toEqual([]);
});

it('calls a reset a reset', async () => {
  const { closes, socket } = await openBare();
  socket.resetAndDestroy();
  expect(await closes.count(1)).toEqual(['reset']);
});

it('refuses a frame beyond the limit, and the connection lives on', async () => {
  const link = openLink({ frameBytesMax: 10 });
  const frames = new Collected<number>(clock);
  const listener = await link.listen('127.0.0.1:0', connection =>
    connection.onFrame(frame => frames.add(frame.length)),
  );
  const connection = await link.connect(listener.address, 1_000);
  expect(() => connection.send(new Uint8Array(11))).toThrow(/PAYLOAD_TOO_LARGE/);
  connection.send(new Uint8Array(10));
  expect(await frames.count(1)).toEqual([10]);
});

it('ends a connection whose sender does not wait when it is told to', async () => {
  const link = openLink({ queueBytesMax: 2_000_000, queueBytesSoftMax: 100_000 });
  const listener = await link.listen('127.0.0.1:0', () => undefined);
  const end = watchEnd(await link.connect(listener.address, 1_000), clock);
  let wasTold = false;
  for (let count = 0; count < 500; count++) {
    wasTold = !end.connection.send(new Uint8Array(65_536)) || wasTold;
  }
  expect(wasTold).toBe(true);
  expect(await end.closes.count(1)).toEqual(['reset']);
  await end.connection.drained();
});

it('reports drained also when the soft limit lies below that of the socket', async () => {
  const link = openLink({ queueBytesSoftMax: 1 });
  const listener = await link.listen('127.0.0.1:0', connection =>
    connection.onFrame(() => undefined),
  );
  const connection = await link.connect(listener.address, 1_000);
  for (let count = 0; count < 20; count++) {
    expect(connection.send(new Uint8Array(1))).toBe(false);
    await connection.drained();
  }
});

it('gives up connecting after the time allowed', async () => {
  // A thread that is stuck accepts nothing; once its backlog is full, handshakes go unanswered.
  const stuck = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(stuck, { eval: true });
  const [port] = await once(worker, 'message');
  const fillers = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1'));
  for (const each of fillers) each.on('error', () => undefined);
  await once(fillers[0] ?? worker, 'connect');

  const error = await openLink()
    .connect(`127.0.0.1:${port}`, 100)
    .catch(each => each);
  expect(error).toMatchObject({ code: 'NODE_UNREACHABLE', outcome: 'not-executed' });
  expect(error.message).toContain('within 100 ms');
  for (const each of fillers) each.destroy();
  await worker.terminate();
});

it('refuses addresses that are none', async () => {
  const link = openLink();
  for (const address of ['', 'host', 'host:', ':80', 'host:99999', 'a:b:1', '[::1]']) {
    await expect(link.connect(address, 100)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(link.listen(address, () => undefined)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  }
  await expect(link.listen('192.0.2.1:1', () => undefined)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});

it('writes and reads addresses with colons in the host', () => {
  expect(parseEndpoint('[::1]:8080')).toEqual({ host: '::1', port: 8080 });
  expect(endpointOf('::1', 8080)).toBe('[::1]:8080');
  expect(endpointOf('localhost', 1)).toBe('localhost:1');
});
