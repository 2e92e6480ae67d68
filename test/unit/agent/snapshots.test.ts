/** Snapshots: what is folded from one is what was in memory when it was made. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { memoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, turn } from '../../../src/index.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: { add: turn({ input: z.number(), output: z.number() }) },
  limits: { snapshotEvery: 2 },
});
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
});

it('keeps what was done after a snapshot of an agent that had just been deleted', async () => {
  const logs = memoryLogs();
  const first = troupeOn({ agents: [counterAgent], log: logs.open() });
  await first.start();
  const one = first.agents.get('counter/one');
  await one.execute('add', 1);
  // A snapshot follows every second record: this one, which leaves no state to speak of.
  await one.delete();
  await one.execute('add', 2);
  await first.stop();

  const second = troupeOn({ agents: [counterAgent], log: logs.open() });
  await second.start();
  expect(await second.agents.get('counter/one').execute('add', 3)).toBe(5);
  await second.stop();
});
