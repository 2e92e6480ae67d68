/** What the routes do with a node: every answer and every refusal is the one of the client. */
import { describe, expect, it } from 'vitest';
import { fromWire, type Json } from '../../../src/gateway/wire.ts';
import { type AdminApp, openAdminApp } from '../../helpers/admin-app.ts';

const at = (key: string, what = '') => `/v1/agents/${encodeURIComponent(`desk/${key}`)}${what}`;

describe('agents', () => {
  it('are called, and answer with their place', async () => {
    await using admin = await openAdminApp();
    const body = { action: 'add', input: 2 };
    expect((await admin.ask('POST', at('a', '/call'), { body })).value).toEqual({
      value: 2,
      agent: 'desk/a',
      epoch: 1,
      version: 1,
    });
  });

  it('get and give values that JSON has no word for', async () => {
    await using admin = await openAdminApp();
    const input = { at: { $date: '2026-01-31T00:00:00.000Z' }, ids: { $set: [1, 2] } };
    const body = { action: 'keep', input };
    const kept = { at: new Date('2026-01-31'), ids: new Set([1, 2]) };
    expect((await admin.ask('POST', at('a', '/call'), { body })).value).toMatchObject({
      value: kept,
    });
    expect((await admin.ask('GET', at('a', '/state'))).value).toMatchObject({
      state: { count: 0, kept },
      version: 1,
    });
  });

  it.each([
    ['add', 'text', 400, 'INVALID_INPUT'],
    ['subtract', 1, 404, 'ACTION_NOT_DEFINED'],
    ['refuse', undefined, 409, 'REJECTED'],
    ['fail', undefined, 500, 'HANDLER_FAILED'],
  ])('say what is wrong with %s(%j)', async (action, input, status, code) => {
    await using admin = await openAdminApp();
    const answer = await admin.ask('POST', at('a', '/call'), { body: { action, input } });
    expect(answer).toMatchObject({ status, value: { error: { code } } });
  });

  it('give the data of a rejection as the value that it is', async () => {
    await using admin = await openAdminApp();
    const { value } = await admin.ask('POST', at('a', '/call'), { body: { action: 'refuse' } });
    expect(value).toMatchObject({
      error: { data: { code: 'closed', data: { until: new Date(0) } } },
    });
  });

  it('are of types that the node knows', async () => {
    await using admin = await openAdminApp();
    const path = `/v1/agents/${encodeURIComponent('dsek/a')}`;
    expect(await admin.ask('GET', path)).toMatchObject({
      status: 404,
      value: { error: { detail: expect.stringContaining('did you mean "desk"') } },
    });
    expect(await admin.ask('GET', '/v1/agents/desk')).toMatchObject({ status: 400 });
  });

  it.each(['a/b', '100 %', '..', 'ü#?&', '%2F', '"\\'])('may have the key %j', async key => {
    await using admin = await openAdminApp();
    const body = { action: 'add', input: 1 };
    expect(await admin.ask('POST', at(key, '/call'), { body })).toMatchObject({
      status: 200,
      value: { agent: `desk/${key}` },
    });
    expect((await admin.ask('GET', at(key))).value).toMatchObject({ address: `desk/${key}` });
  });

  it('are called with a deadline, a lane and a key', async () => {
    await using admin = await openAdminApp();
    const body = { action: 'add', input: 1, timeout: '5s', priority: 'high', idempotencyKey: 'k' };
    const first = await admin.ask('POST', at('a', '/call'), { body });
    const second = await admin.ask('POST', at('a', '/call'), { body });
    expect(second.value).toEqual(first.value);
    expect((await admin.ask('GET', at('a', '/state'))).value).toMatchObject({
      state: { count: 1 },
    });
    const bad = { ...body, timeout: 'soon' };
    expect(await admin.ask('POST', at('a', '/call'), { body: bad })).toMatchObject({ status: 400 });
  });

  it('are listed with their types, in pages', async () => {
    await using admin = await openAdminApp();
    for (const key of ['a', 'b', 'c']) {
      await admin.ask('POST', at(key, '/call'), { body: { action: 'add', input: 1 } });
    }
    const { value } = await admin.ask('GET', '/v1/agents?type=desk&limit=2');
    const { items, cursor } = value as { items: { address: string }[]; cursor: string };
    const rest = await admin.ask(
      'GET',
      `/v1/agents?type=desk&cursor=${encodeURIComponent(cursor)}`,
    );
    const all = [...items, ...(rest.value as { items: { address: string }[] }).items];
    expect(all.map(({ address }) => address).sort()).toEqual(['desk/a', 'desk/b', 'desk/c']);
    const types = (await admin.ask('GET', '/v1/types')).value as { actions: object[] }[];
    expect(types[0]?.actions[0]).toMatchObject({
      name: 'add',
      kind: 'turn',
      input: { type: 'number' },
    });
  });

  it('have a past', async () => {
    await using admin = await openAdminApp();
    await admin.ask('POST', at('a', '/call'), { body: { action: 'add', input: 1 } });
    await admin.ask('POST', at('a', '/call'), { body: { action: 'add', input: 2 } });
    expect((await admin.ask('GET', at('a', '/state?version=1'))).value).toMatchObject({
      state: { count: 1 },
    });
    expect(linesOf((await admin.ask('GET', at('a', '/events'))).text)).toMatchObject([
      { name: 'counted', data: { by: 1 }, version: 1 },
      { name: 'counted', data: { by: 2 }, version: 2 },
    ]);
    expect(linesOf((await admin.ask('GET', at('a', '/events?from=2'))).text)).toHaveLength(1);
    expect(await admin.ask('GET', at('a', '/state?version=9'))).toMatchObject({ status: 400 });
  });

  it('are deleted', async () => {
    await using admin = await openAdminApp();
    await admin.ask('POST', at('a', '/call'), { body: { action: 'add', input: 5 } });
    expect(await admin.ask('DELETE', at('a'))).toMatchObject({ status: 200 });
    expect((await admin.ask('GET', at('a', '/state'))).value).toMatchObject({
      state: { count: 0 },
    });
  });
});

describe('events that are followed', () => {
  it('come as they happen, until the reader goes away', async () => {
    await using admin = await openAdminApp();
    const headers = { host: 'localhost', authorization: `Bearer ${admin.token}` };
    const response = await admin.app.request(at('a', '/events?follow=true'), { headers });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = reader.read();
    await admin.ask('POST', at('a', '/call'), { body: { action: 'add', input: 3 } });
    const { value } = await next;
    expect(linesOf(new TextDecoder().decode(value))).toMatchObject([{ data: { by: 3 } }]);
    await reader.cancel();
  });
});

describe('runs', () => {
  it('are listed, shown, given signals, and end', async () => {
    await using admin = await openAdminApp();
    const id = await startedRun(admin, 'wait');
    expect((await admin.ask('GET', runPath(id))).value).toMatchObject({
      id,
      status: 'waiting',
      steps: [{ kind: 'waitFor', name: 'go' }],
    });
    const list = await admin.ask('GET', '/v1/runs?type=desk&status=waiting');
    expect(list.value).toMatchObject({ items: [{ id }] });
    expect((await admin.ask('GET', '/v1/runs?status=asking')).value).toEqual({ items: [] });
    const body = { signal: 'go', data: { word: 'yes' }, run: id };
    expect(await admin.ask('POST', at('a', '/signal'), { body })).toMatchObject({ status: 200 });
    expect((await admin.ask('GET', runPath(id))).value).toMatchObject({
      status: 'done',
      value: 'yes',
    });
  });

  it('are cancelled', async () => {
    await using admin = await openAdminApp();
    const id = await startedRun(admin, 'wait');
    const answer = await admin.ask('POST', runPath(id, '/cancel'), { body: { reason: 'enough' } });
    expect(answer.value).toMatchObject({
      status: 'cancelled',
      error: { code: 'CANCELLED', detail: expect.stringContaining('enough') },
    });
  });

  it('that are not there are not found', async () => {
    await using admin = await openAdminApp();
    for (const id of ['desk/a#1', 'nonsense']) {
      expect(await admin.ask('GET', runPath(id))).toMatchObject({ status: 400 });
      const asked = { body: {} };
      expect(await admin.ask('POST', runPath(id, '/cancel'), asked)).toMatchObject({ status: 400 });
    }
  });

  it('are resolved only where a step asks, and only in a way that makes sense', async () => {
    await using admin = await openAdminApp();
    const id = await startedRun(admin, 'wait');
    for (const resolution of ['again', {}, null, undefined]) {
      const body = { step: 'go', resolution };
      expect(await admin.ask('POST', runPath(id, '/resolve'), { body })).toMatchObject({
        status: 400,
        value: { error: { detail: expect.stringContaining('resolution') } },
      });
    }
    const body = { step: 'go', resolution: { value: 1 } };
    expect(await admin.ask('POST', runPath(id, '/resolve'), { body })).toMatchObject({
      status: 400,
      value: { error: { code: 'INVALID_INPUT' } },
    });
  });
});

describe('dead letters', () => {
  it('are listed, sent again, and dropped', async () => {
    await using admin = await openAdminApp();
    await admin.ask('POST', at('a', '/send'), { body: { action: 'fail' } });
    const [letter] = await deadLetters(admin, 1);
    expect(letter).toMatchObject({ target: 'desk/a', action: 'fail', attempts: 1 });
    const path = `/v1/dead/${encodeURIComponent(letter?.id ?? '')}`;
    expect((await admin.ask('POST', `${path}/retry`, { body: {} })).value).toMatchObject({
      messageId: expect.any(String),
    });
    const [again] = await deadLetters(admin, 1, letter?.id);
    const dropped = `/v1/dead/${encodeURIComponent(again?.id ?? '')}`;
    expect(await admin.ask('DELETE', dropped)).toMatchObject({ status: 200 });
    expect(await deadLetters(admin, 0)).toEqual([]);
    expect(await admin.ask('DELETE', dropped)).toMatchObject({ status: 400 });
  });
});

describe('data', () => {
  it('are nobody can copy or repair when all is in memory', async () => {
    await using admin = await openAdminApp();
    const asked = { body: { directory: '/nowhere' } };
    const answer = await admin.ask('POST', '/v1/backup', asked);
    expect(answer).toMatchObject({ status: 400, value: { error: { code: 'CONFIG_INVALID' } } });
    expect(await admin.ask('GET', at('a', '/damage'))).toMatchObject({ status: 400 });
  });

  it('are copied only to an absolute path, and given up only with consent', async () => {
    await using admin = await openAdminApp();
    const body = { directory: 'here' };
    expect(await admin.ask('POST', '/v1/backup', { body })).toMatchObject({
      status: 400,
      value: { error: { detail: expect.stringContaining('absolute') } },
    });
    expect(await admin.ask('POST', at('a', '/repair'), { body: {} })).toMatchObject({
      status: 400,
      value: { error: { detail: expect.stringContaining('consent') } },
    });
  });
});

describe('metrics', () => {
  it('count messages', async () => {
    await using admin = await openAdminApp();
    await admin.ask('POST', at('a', '/call'), { body: { action: 'add', input: 1 } });
    const { text, headers } = await admin.ask('GET', '/metrics');
    expect(headers.get('content-type')).toContain('version=0.0.4');
    expect(text).toContain('troupe_messages_total{type="desk",action="add"} 1');
  });
});

interface Letter {
  readonly id: string;
}

/** The dead letters, once there are so many beside the one that is known. */
async function deadLetters(admin: AdminApp, count: number, known?: string): Promise<Letter[]> {
  for (let turns = 0; turns < 1_000; turns += 1) {
    const { value } = await admin.ask('GET', '/v1/dead');
    const { items } = value as { items: Letter[] };
    const found = items.filter(({ id }) => id !== known);
    if (found.length === count) return found;
    await new Promise(resolve => setImmediate(resolve));
  }
  throw new Error(`there were never ${count} dead letters`);
}

async function startedRun(admin: AdminApp, action: string): Promise<string> {
  await admin.ask('POST', at('a', '/send'), { body: { action } });
  const { value } = await admin.ask('GET', '/v1/runs');
  return (value as { items: { id: string }[] }).items[0]?.id ?? 'there is no run';
}

function runPath(id: string, what = ''): string {
  return `/v1/runs/${encodeURIComponent(id)}${what}`;
}

function linesOf(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => fromWire(JSON.parse(line) as Json));
}
