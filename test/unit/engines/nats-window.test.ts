/** The window that bounds how much is asked of the servers at once. */
import { expect, it } from 'vitest';
import { Window } from '../../../src/engines/nats/window.ts';

it('lets so many through at once, the others in their order, also after failures', async () => {
  const window = new Window(2);
  const started: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const results = Array.from({ length: 6 }, (_, index) =>
    window.run(async () => {
      started.push(index);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      await end.promise;
      return index;
    }),
  );
  expect(started).toEqual([0, 1]);
  ends[1]?.resolve();
  expect(await results[1]).toBe(1);
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.reject(new Error('on purpose'));
  await expect(results[0]).rejects.toThrow('on purpose');
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2, 3]);
  for (let index = 2; index < 6; index += 1) {
    ends[index]?.resolve();
    await results[index];
    await Promise.resolve();
  }
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  const late = window.run(async () => started.push(6));
  expect(started).toHaveLength(7);
  await late;
});
