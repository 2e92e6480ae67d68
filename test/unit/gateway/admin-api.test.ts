/** Who gets in, and what the API says to requests that are wrong before they reach an agent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { adminBodyBytesMax } from '../../../src/gateway/request-fields.ts';
import type { ClusterInspection } from '../../../src/node/cluster-inspection.ts';
import { type AdminApp, openAdminApp } from '../../helpers/admin-app.ts';

const routes = [
  ['GET', '/v1/node'],
  ['GET', '/v1/cluster'],
  ['GET', '/v1/types'],
  ['GET', '/v1/agents'],
  ['GET', '/v1/agents/desk%2Fa'],
  ['DELETE', '/v1/agents/desk%2Fa'],
  ['POST', '/v1/agents/desk%2Fa/call'],
  ['POST', '/v1/agents/desk%2Fa/send'],
  ['POST', '/v1/agents/desk%2Fa/signal'],
  ['GET', '/v1/agents/desk%2Fa/state'],
  ['GET', '/v1/agents/desk%2Fa/events'],
  ['GET', '/v1/agents/desk%2Fa/damage'],
  ['GET', '/v1/agents/desk%2Fa/readable'],
  ['POST', '/v1/agents/desk%2Fa/repair'],
  ['GET', '/v1/runs'],
  ['GET', '/v1/runs/desk%2Fa%231'],
  ['POST', '/v1/runs/desk%2Fa%231/cancel'],
  ['POST', '/v1/runs/desk%2Fa%231/resolve'],
  ['GET', '/v1/dead'],
  ['POST', '/v1/dead/desk%2Fa%231/retry'],
  ['DELETE', '/v1/dead/desk%2Fa%231'],
  ['POST', '/v1/backup'],
  ['GET', '/metrics'],
] as const;

const probes = [
  ['GET', '/livez'],
  ['GET', '/readyz'],
] as const;

let admin: AdminApp;
beforeAll(async () => {
  admin = await openAdminApp();
});
afterAll(() => admin[Symbol.asyncDispose]());

describe('who may ask', () => {
  it.each(routes)('%s %s needs the token', async (method, path) => {
    for (const authorization of [
      undefined,
      'Bearer wrong',
      'Basic YTpi',
      `Bearer ${admin.token}x`,
    ]) {
      const { status, value } = await admin.ask(method, path, { headers: { authorization } });
      expect({ status, value }).toMatchObject({ status: 401, value: refused('token') });
    }
  });

  it.each([...routes, ...probes])('%s %s needs a loopback Host', async (method, path) => {
    const names = [
      'evil.example',
      'evil.example:7000',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      undefined,
    ];
    for (const host of names) {
      const { status, value } = await admin.ask(method, path, { headers: { host } });
      expect({ status, value }).toMatchObject({ status: 403, value: refused('Host') });
    }
  });

  it.each([...routes, ...probes])('%s %s is not for pages of other sites', async (method, path) => {
    const origins = ['http://evil.example', 'http://localhost:7000', 'http://127.0.0.1', 'null'];
    for (const origin of origins) {
      const { status, value } = await admin.ask(method, path, { headers: { origin } });
      expect({ status, value }).toMatchObject({ status: 403, value: refused('Origin') });
    }
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect(await admin.ask(method, path, { headers })).toMatchObject({ status: 403 });
  });

  it.each(['OPTIONS', 'PUT', 'PATCH', 'HEAD', 'DELETE'])(
    'no %s slips past the checks',
    async method => {
      const strange = { headers: { host: 'evil.example', authorization: undefined } };
      expect((await admin.ask(method, '/v1/agents', strange)).status).toBe(403);
      const headers = { authorization: undefined };
      expect((await admin.ask(method, '/v1/agents', { headers })).status).toBe(401);
    },
  );

  it('lets programs and its own page in, under each name of the loopback interface', async () => {
    for (const host of ['127.0.0.1:7000', 'localhost:7000', '[::1]:7000', 'localhost']) {
      expect(await admin.ask('GET', '/v1/node', { headers: { host } })).toMatchObject({
        status: 200,
      });
      const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      expect(await admin.ask('GET', '/v1/node', { headers })).toMatchObject({ status: 200 });
    }
  });

  it('lets nothing be kept or guessed at', async () => {
    const { headers } = await admin.ask('GET', '/v1/node');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('what is asked', () => {
  const call = '/v1/agents/desk%2Fa/call';

  it('is refused when there is no such route, or not with this method', async () => {
    for (const [method, path] of [
      ['GET', '/v1/nothing'],
      ['GET', '/'],
      ['PUT', '/v1/agents'],
      ['GET', call],
    ] as const) {
      const { status, value } = await admin.ask(method, path);
      expect({ status, value }).toMatchObject({
        status: 404,
        value: { error: { code: 'INVALID_INPUT', detail: expect.stringContaining(path) } },
      });
    }
  });

  it.each([
    ['no JSON', '{"action":', /not JSON/],
    ['no object', '[1]', /the body must be an object/],
    ['a field that does not exist', '{"action":"add","inptu":1}', /did you mean "input"/],
    ['a tag that cannot be', '{"action":"add","input":{"$date":"x"}}', /\$date/],
    ['no action', '{}', /action is missing/],
    ['an action that is no text', '{"action":1}', /action is 1; it must be a text/],
    [
      'a lane that does not exist',
      '{"action":"add","priority":"urgent"}',
      /one of high, normal, low/,
    ],
  ])('is refused when its body is %s', async (_what, body, detail) => {
    const { status, value } = await admin.ask('POST', call, { body });
    expect({ status, value }).toMatchObject({
      status: 400,
      value: { error: { code: 'INVALID_INPUT', detail: expect.stringMatching(detail) } },
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined])(
    'is refused as %s: only JSON, which no form of a page can send',
    async type => {
      const body = '{"action":"add","input":1}';
      const { status } = await admin.ask('POST', call, { body, headers: { 'content-type': type } });
      expect(status).toBe(400);
    },
  );

  it('is refused when the query is not understood', async () => {
    for (const query of ['?tpye=desk', '?limit=many', '?limit=1&limit=2', '?limit=-1']) {
      expect(await admin.ask('GET', `/v1/agents${query}`)).toMatchObject({ status: 400 });
    }
    expect(await admin.ask('GET', '/v1/runs?status=asleep')).toMatchObject({ status: 400 });
    expect(await admin.ask('GET', '/v1/agents/desk%2Fa/state?version=1&time=x')).toMatchObject({
      status: 400,
    });
  });

  it('is refused when it is too large, whatever it says of its length', async () => {
    const body = `{"action":"keep","input":"${'x'.repeat(adminBodyBytesMax)}"}`;
    for (const length of [undefined, String(body.length), '10']) {
      const headers = { 'content-length': length };
      const { status, value } = await admin.ask('POST', call, { body, headers });
      expect({ status, value }).toMatchObject({
        status: 413,
        value: { error: { code: 'PAYLOAD_TOO_LARGE', outcome: 'not-executed' } },
      });
    }
  });
});

describe('how the node stands', () => {
  it('is told without the token, in one word', async () => {
    const headers = { authorization: undefined };
    expect(await admin.ask('GET', '/livez', { headers })).toMatchObject({
      status: 200,
      text: '{"status":"live"}',
    });
    expect(await admin.ask('GET', '/readyz', { headers })).toMatchObject({
      status: 200,
      text: '{"status":"ready"}',
    });
  });

  it('is not ready while it drains', async () => {
    await using ending = await openAdminApp();
    const stopped = ending.stop();
    expect(await ending.ask('GET', '/readyz')).toMatchObject({
      status: 503,
      text: '{"status":"draining"}',
    });
    expect(await ending.ask('GET', '/livez')).toMatchObject({ status: 200 });
    await stopped;
  });

  it('is not ready when its engine failed, and says why to who may know', async () => {
    const failure = new TroupeError('ENGINE_FAILED', { detail: 'the disk refused a flush' });
    await using broken = await openAdminApp(face => ({
      ...face,
      standing: () => ({ standing: 'failed', failure }),
    }));
    expect(await broken.ask('GET', '/readyz')).toMatchObject({ status: 503 });
    const { value } = await broken.ask('GET', '/v1/node');
    expect(value).toMatchObject({ standing: 'failed', failure: failure.toValue() });
  });

  it('looks at its cluster, where it has one', async () => {
    expect(await admin.ask('GET', '/v1/cluster')).toMatchObject({
      value: { error: { code: 'CONFIG_INVALID', detail: 'this node is not in a cluster' } },
    });
    const found = { name: 'shop', streams: [] } as unknown as ClusterInspection;
    const inspectCluster = async () => found;
    await using clustered = await openAdminApp(face => ({ ...face, inspectCluster }));
    expect(await clustered.ask('GET', '/v1/cluster')).toMatchObject({ status: 200, value: found });
  });

  it('refuses work while it starts', async () => {
    await using starting = await openAdminApp(face => ({
      ...face,
      standing: () => ({ standing: 'starting', failure: undefined }),
    }));
    expect(await starting.ask('GET', '/v1/agents')).toMatchObject({
      status: 503,
      value: { error: { code: 'NOT_STARTED' } },
    });
    expect(await starting.ask('GET', '/livez')).toMatchObject({ status: 200 });
  });
});

function refused(what: string): object {
  return { error: { code: 'UNAUTHORIZED', outcome: 'not-executed', data: { refused: what } } };
}
