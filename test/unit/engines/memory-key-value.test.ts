/** Each switch of the key-value store in memory does its damage. */
import { expect, it } from 'vitest';
import { memoryKeyValues } from '../../../src/engines/memory/key-value.ts';

const value = Uint8Array.of(1);

it('refuses a write as unavailable, and writes nothing', async () => {
  const store = memoryKeyValues();
  const keyValue = store.open();
  store.faults.next('unavailable');
  await expect(keyValue.create('a', value)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    outcome: 'not-executed',
  });
  expect(await keyValue.get('a')).toBeUndefined();
});

it('loses the answer of a write that took effect, or of one that did not', async () => {
  const store = memoryKeyValues();
  const keyValue = store.open();
  store.faults.next('unknown-stored');
  store.faults.next('unknown-not-stored');
  for (const key of ['stored', 'lost']) {
    await expect(keyValue.create(key, value)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      outcome: 'unknown',
    });
  }
  expect(await keyValue.keys('')).toEqual(['stored']);
});

it('lets a write land late only if its condition still holds then', async () => {
  const store = memoryKeyValues();
  const keyValue = store.open();
  store.faults.next('unknown-late', { name: 'a', afterOperations: 2 });
  store.faults.next('unknown-late', { name: 'b', afterOperations: 2 });
  await expect(keyValue.create('a', Uint8Array.of(7))).rejects.toMatchObject({
    outcome: 'unknown',
  });
  await expect(keyValue.create('b', Uint8Array.of(7))).rejects.toMatchObject({
    outcome: 'unknown',
  });
  await keyValue.create('b', Uint8Array.of(9));
  for (let count = 0; count < 3; count++) await keyValue.get('c');
  expect((await keyValue.get('a'))?.value).toEqual(Uint8Array.of(7));
  expect((await keyValue.get('b'))?.value).toEqual(Uint8Array.of(9));
});

it('answers with a conflict though the condition holds, and refuses all while away', async () => {
  const store = memoryKeyValues();
  const keyValue = store.open();
  store.faults.next('conflict');
  expect(await keyValue.create('a', value)).toEqual({ status: 'conflict' });
  expect(await keyValue.get('a')).toBeUndefined();
  store.faults.isUnavailable = true;
  for (const asking of [keyValue.get('a'), keyValue.keys(''), keyValue.create('a', value)]) {
    await expect(asking).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  }
});

it('ends the watches of a handle that is closed, and no others', async () => {
  const store = memoryKeyValues();
  const [closed, open] = [store.open(), store.open()];
  const seen: string[] = [];
  await closed.watch('', () => seen.push('closed'));
  await open.watch('', () => seen.push('open'));
  await closed.close();
  await open.create('a', value);
  await Promise.resolve();
  expect(seen).toEqual(['open']);
});
