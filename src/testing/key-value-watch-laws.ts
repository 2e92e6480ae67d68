/** The laws of watching keys. Changes in between may be skipped; the last one never. */
import type { KeyValueChange } from '../ports/key-value.ts';
import { type KeyValueSubject, revisionOf } from './key-value-subject.ts';
import { bytesOf, Collected, must, mustEqual, readText } from './law-checks.ts';
import type { Law } from './laws.ts';

/** See {@link KeyValueSubject}. */
export const keyValueWatchLaws: readonly Law<KeyValueSubject>[] = [
  {
    name: 'reports to a watcher the entries there are',
    async run({ keyValue, clock }) {
      await keyValue.create('a/1', bytesOf('one'));
      const second = revisionOf(await keyValue.create('a/2', bytesOf('two')));
      await keyValue.compareAndSet('a/2', bytesOf('two again'), second);
      const seen = new Collected<KeyValueChange>(clock);
      await keyValue.watch('a/', change => seen.add(change));
      await seen.until(all => shows(all, 'a/1', 'one') && shows(all, 'a/2', 'two again'));
    },
  },
  {
    name: 'reports to a watcher the last of many changes',
    async run({ keyValue, clock }) {
      const seen = new Collected<KeyValueChange>(clock);
      await keyValue.watch('a', change => seen.add(change));
      let revision = revisionOf(await keyValue.create('a', bytesOf('0')));
      for (let round = 1; round <= 50; round++) {
        revision = revisionOf(await keyValue.compareAndSet('a', bytesOf(`${round}`), revision));
      }
      const changes = await seen.until(all => shows(all, 'a', '50'));
      mustEqual(revisionIn(changes.at(-1)), revision, 'the revision of the last report');
    },
  },
  {
    name: 'reports a deletion to a watcher, with its revision',
    async run({ keyValue, clock }) {
      const seen = new Collected<KeyValueChange>(clock);
      const created = revisionOf(await keyValue.create('a', bytesOf('one')));
      await keyValue.watch('a', change => seen.add(change));
      await seen.until(all => shows(all, 'a', 'one'));
      const revision = revisionOf(await keyValue.delete('a', created));
      const changes = await seen.until(all => all.some(change => change.kind === 'delete'));
      mustEqual(changes.at(-1), { kind: 'delete', key: 'a', revision }, 'the last report');
    },
  },
  {
    name: 'reports to a watcher only keys that begin so, never going back in one key',
    async run({ keyValue, clock }) {
      const seen = new Collected<KeyValueChange>(clock);
      await keyValue.watch('a/', change => seen.add(change));
      for (const key of ['a', 'b/1', 'a/1', 'ab', 'a/2']) {
        const revision = revisionOf(await keyValue.create(key, bytesOf('one')));
        await keyValue.compareAndSet(key, bytesOf('two'), revision);
      }
      const changes = await seen.until(all => shows(all, 'a/1', 'two') && shows(all, 'a/2', 'two'));
      const keys = new Set(changes.map(keyIn));
      mustEqual([...keys].sort(), ['a/1', 'a/2'], 'the keys reported');
      for (const key of keys) {
        const revisions = changes.filter(change => keyIn(change) === key).map(revisionIn);
        must(
          revisions.every((revision, index) => revision > (revisions[index - 1] ?? 0)),
          `the revisions of ${key} rise`,
        );
      }
    },
  },
  {
    name: 'reports nothing to a watcher that has stopped, and goes on for others',
    async run({ keyValue, clock }) {
      const stopped = new Collected<KeyValueChange>(clock);
      const other = new Collected<KeyValueChange>(clock);
      const stop = await keyValue.watch('a', change => stopped.add(change));
      await keyValue.watch('a', change => other.add(change));
      await keyValue.create('a/1', bytesOf('one'));
      await stopped.until(all => shows(all, 'a/1', 'one'));
      stop();
      stop();
      await keyValue.create('a/2', bytesOf('two'));
      await other.until(all => shows(all, 'a/2', 'two'));
      must(!shows(stopped.items, 'a/2', 'two'), 'a watcher that stopped is told nothing');
    },
  },
  {
    name: 'calls watchers outside the call stack of the writer',
    async run({ keyValue, clock }) {
      const seen = new Collected<boolean>(clock);
      let isInside = false;
      await keyValue.watch('a', () => seen.add(isInside));
      isInside = true;
      const creating = keyValue.create('a', bytesOf('one'));
      isInside = false;
      await creating;
      mustEqual([...(await seen.count(1))], [false], 'whether it was called inside');
    },
  },
];

function shows(changes: readonly KeyValueChange[], key: string, text: string): boolean {
  return changes.some(
    change =>
      change.kind === 'put' && change.entry.key === key && readText(change.entry.value) === text,
  );
}

function keyIn(change: KeyValueChange): string {
  return change.kind === 'put' ? change.entry.key : change.key;
}

function revisionIn(change: KeyValueChange | undefined): number {
  if (change === undefined) return 0;
  return change.kind === 'put' ? change.entry.revision : change.revision;
}
