/** The admin API as `createTroupe` opens it: on loopback, with its files, closed with the node. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAdminAddress, readToken } from '../../../src/gateway/admin-files.ts';
import { createTroupe } from '../../../src/index.ts';
import { type Logger, silentLogger } from '../../../src/telemetry/logger.ts';
import { deskAgent } from '../../helpers/desk.ts';
import { mistakeIn } from '../../helpers/mistake-in.ts';
import { refusal } from '../../helpers/refusal.ts';

let data = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'troupe-admin-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const agents = [deskAgent];
const logger = silentLogger;

describe('createTroupe({ admin })', () => {
  it('opens nothing unless asked', async () => {
    for (const admin of [undefined, false]) {
      await using troupe = createTroupe({ agents, data, logger, admin });
      await troupe.start();
      expect(readAdminAddress(data)).toBeUndefined();
    }
  });

  it('opens the API on loopback, and closes it with the node', async () => {
    await using troupe = createTroupe({ agents, data, logger, admin: true });
    await troupe.start();
    const { url = '', pid } = readAdminAddress(data) ?? {};
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(pid).toBe(process.pid);
    expect(statSync(join(data, 'admin.token')).mode & 0o777).toBe(0o600);
    expect((await ask(url, '/v1/types')).status).toBe(200);
    await troupe.stop();
    expect(readToken(data)).toBeUndefined();
    await expect(ask(url, '/livez')).rejects.toThrow();
  });

  it('draws a new token at each start', async () => {
    const tokens: unknown[] = [];
    for (let count = 0; count < 2; count += 1) {
      await using troupe = createTroupe({ agents, data, logger, admin: true });
      await troupe.start();
      tokens.push(readToken(data));
    }
    expect(new Set(tokens).size).toBe(2);
  });

  it('puts the files of a node in memory where its log says, for its life', async () => {
    const told: { tokenFile: string }[] = [];
    const listening: Logger = {
      ...silentLogger,
      info: (message, particulars) => {
        if (message.includes('admin API')) told.push(particulars as { tokenFile: string });
      },
    };
    const troupe = createTroupe({ agents, logger: listening, admin: true });
    await troupe.start();
    const { tokenFile = '' } = told[0] ?? {};
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    await troupe.stop();
    expect(existsSync(tokenFile)).toBe(false);
  });

  it('says PORT_IN_USE, and then lets go of the data', async () => {
    const holder = createServer();
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const troupe = createTroupe({ agents, data, logger, admin: { port } });
    const error = await mistakeIn(() => troupe.start());
    expect(error).toMatchObject({ code: 'PORT_IN_USE', outcome: 'not-executed' });
    expect(error.detail).toContain(String(port));
    expect(readAdminAddress(data)).toBeUndefined();
    await new Promise(resolve => holder.close(resolve));
    await using next = createTroupe({ agents, data, logger, admin: { port } });
    await next.start();
    expect(readAdminAddress(data)?.url).toBe(`http://127.0.0.1:${port}`);
  });

  it('ends although somebody follows events', async () => {
    const troupe = createTroupe({ agents, data, logger, admin: true });
    await troupe.start();
    await troupe.agents.get('desk/a').execute('add', 1);
    const { url = '' } = readAdminAddress(data) ?? {};
    const response = await ask(url, '/v1/agents/desk%2Fa/events?follow=true');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('counted');
    const ended = reader.read().then(
      ({ done }) => done,
      () => true,
    );
    await troupe.stop();
    expect(await ended).toBe(true);
  });

  it('shows what the node holds, counted when somebody looks', async () => {
    await using troupe = createTroupe({ agents, data, logger, admin: true });
    await troupe.start();
    await troupe.agents.get('desk/a').execute('add', 1);
    const { url = '' } = readAdminAddress(data) ?? {};
    const text = await (await ask(url, '/metrics')).text();
    expect(text).toContain('troupe_resident_agents{type="desk"} 1');
    expect(text).toContain('troupe_waiting_messages{type="desk"} 0');
    expect(text).toContain('troupe_engine_failed 0');
    expect(text).toMatch(/^troupe_event_loop_lag_seconds [\d.e-]+$/m);
    expect(text).toMatch(/^troupe_heap_bytes \d+$/m);
  });

  it.each([
    [1],
    ['yes'],
    [null],
    [{ port: -1 }],
    [{ port: 65_536 }],
    [{ port: 1.5 }],
    [{ prot: 1 }],
    [[]],
  ])('refuses admin: %j', admin => {
    const options = { agents, admin } as unknown as Parameters<typeof createTroupe>[0];
    expect(refusal(() => createTroupe(options))).toMatch(/^CONFIG_INVALID: createTroupe: admin/);
  });
});

function ask(url: string, path: string): Promise<Response> {
  const token = readToken(data) ?? '';
  return fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
}
