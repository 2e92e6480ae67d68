/** What a program says about its cluster is checked before anything is dialled. */
import { describe, expect, it } from 'vitest';
import { createTroupe } from '../../../src/index.ts';
import { checkedCluster } from '../../../src/node/cluster-options.ts';
import { thrownBy } from '../../helpers/thrown-by.ts';

describe('the option `cluster`', () => {
  it('is an address, or more in full', () => {
    expect(checkedCluster('nats://a:4222')).toEqual({
      servers: 'nats://a:4222',
      name: 'troupe',
      unflushed: false,
    });
    const full = {
      servers: ['tls://a', 'tls://b'],
      name: 'shop',
      replicas: 3,
      credentials: { file: 'n1.nk' },
      tls: { caFile: 'ca.pem' },
      unflushed: true,
      inboxPrefix: '_INBOX.shop.n1',
    };
    expect(checkedCluster(full)).toEqual(full);
  });

  it.each([
    [7, /cluster must be an object; it is 7/],
    ['', /cluster\.servers is ""; it must be an address such as "nats:/],
    [{}, /cluster\.servers is undefined/],
    [{ servers: [] }, /cluster\.servers/],
    [{ servers: ['nats://a', 4] }, /cluster\.servers/],
    [{ server: 'nats://a' }, /has no option "server"; did you mean "servers"/],
    [{ servers: 'a', name: 'my shop' }, /cluster\.name is "my shop"; .* letters, digits/],
    [{ servers: 'a', name: 'x'.repeat(33) }, /cluster\.name .* up to 32/],
    [{ servers: 'a', replicas: 2 }, /cluster\.replicas is 2; it must be 1, 3 or 5/],
    [{ servers: 'a', unflushed: 'yes' }, /cluster\.unflushed is "yes"; it must be true or false/],
    [{ servers: 'a', inboxPrefix: 1 }, /cluster\.inboxPrefix is 1/],
    [{ servers: 'a', tls: 'yes' }, /cluster\.tls must be an object/],
    [{ servers: 'a', tls: { caPath: 'x' } }, /cluster\.tls has no option "caPath"/],
    [{ servers: 'a', credentials: { user: 'u', pass: 'p' } }, /credentials has no option "pass"/],
  ])('refuses %j', (given, detail) => {
    const error = thrownBy(() => createTroupe({ agents: [], cluster: given as never }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.detail).toMatch(detail);
  });

  it('shows no secret when it refuses one', () => {
    const credentials = { user: 'u', password: 17 };
    const cluster = { servers: 'a', credentials } as never;
    const error = thrownBy(() => createTroupe({ agents: [], cluster }));
    expect(error.detail).toMatch(/cluster\.credentials\.password must be a text/);
    expect(error.detail).not.toMatch(/17/);
  });

  it('takes names of nodes that can stand in a key', () => {
    expect(thrownBy(() => createTroupe({ agents: [], name: 'a/b' }))).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/name is "a\/b"; .* letters, digits/),
    });
    expect(() => createTroupe({ agents: [], name: 'n-1_A' })).not.toThrow();
  });
});
