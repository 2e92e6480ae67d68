/** What a node leaves behind when it stops: nothing that keeps a process from ending. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { defineAgent, implement, turn } from '../../../src/index.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: { add: turn({ input: z.number(), output: z.number() }) },
});
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    ctx.after('1h', 'add', 1);
    return ctx.state.count;
  },
});

it('leaves no timer behind when it stops', async () => {
  const { clock, open } = countingClock();
  const troupe = troupeOn({ agents: [counterAgent], log: memoryLog(), clock });
  await troupe.start();
  await troupe.agents.get('counter/one').execute('add', 1);
  expect(open.size).toBeGreaterThan(0);

  await troupe.stop();

  expect([...open.values()]).toEqual([]);
});

/** The real clock, and the delays of the timers that are neither fired nor cancelled. */
function countingClock(): { readonly clock: Clock; readonly open: Map<object, number> } {
  const real = systemClock();
  const open = new Map<object, number>();
  const clock: Clock = {
    ...real,
    setTimer(delayMs, task) {
      const mark = {};
      const timer = real.setTimer(delayMs, () => {
        open.delete(mark);
        task();
      });
      open.set(mark, delayMs);
      return {
        cancel() {
          open.delete(mark);
          timer.cancel();
        },
      };
    },
  };
  return { clock, open };
}
