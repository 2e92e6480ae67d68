/** What the engine keeps in logs of its own is no agent: it is in no list, and wakes nobody. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openEmbeddedKeyValue } from '../../../src/engines/embedded/key-value.ts';
import { openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { defineAgent, implement, turn } from '../../../src/index.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: { add: turn({ input: z.number() }) },
});
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
  },
});

it('lists agents only, page by page, and counts no key as one', async () => {
  const log = await openEmbeddedLog({ disk: new MemoryDisk(false), random: systemRandom() });
  const keys = openEmbeddedKeyValue({ log });
  for (const key of ['a', 'b', 'c']) await keys.create(key, new Uint8Array(1));
  // A log that says it has work, as one that lost records in a repair does.
  await log.append('$kv/main/due', 0, [{ bytes: new Uint8Array(1) }], { wakeAt: 0 });
  const lived: string[] = [];
  await using troupe = troupeOn({ agents: [counterAgent], log });
  await troupe.start();
  troupe.bus.subscribe('agent.lifecycle.*', ({ agent }) => lived.push(agent));
  await troupe.agents.get(counter, 'one').execute('add', 1);
  await troupe.agents.get(counter, 'two').execute('add', 1);

  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await troupe.agents.list({ limit: 1, cursor });
    listed.push(...page.items.map(({ address }) => address));
    cursor = page.cursor;
  } while (cursor !== undefined);

  expect(listed.toSorted()).toEqual(['counter/one', 'counter/two']);
  expect((await troupe.runs.list()).items).toEqual([]);
  expect((await troupe.deadLetters.list()).items).toEqual([]);
  await expect.poll(() => new Set(lived)).toEqual(new Set(['counter/one', 'counter/two']));
  await expect(troupe.agents.list({ type: '$kv' as 'counter' })).rejects.toMatchObject({
    code: 'TYPE_NOT_DEFINED',
  });
});
