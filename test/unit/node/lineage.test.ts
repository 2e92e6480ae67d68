/**
 * After a repair that cuts, and after a restore, numbers begin anew under another lineage:
 * receivers that remember the old numbers take no new message for an old one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { composeTroupe } from '../../../src/node/create-troupe.ts';
import { openData, restoreData } from '../../../src/node/data-directory.ts';
import type { NodeFace } from '../../../src/node/face.ts';
import { folderOf } from '../../helpers/folder-of.ts';

const target = defineAgent('target', {
  state: z.object({ heard: z.array(z.string()).default([]) }),
  actions: {
    hear: turn({ input: z.string() }),
    heard: read({ output: z.array(z.string()) }),
  },
});
const targetAgent = implement(target, {
  hear(ctx, word) {
    ctx.state.heard.push(word);
  },
  heard: ctx => [...ctx.state.heard],
});

const source = defineAgent('source', {
  state: z.object({ said: z.array(z.string()).default([]) }),
  actions: {
    say: turn({ input: z.string() }),
    note: turn({ input: z.string() }),
    said: read({ output: z.array(z.string()) }),
  },
});
const sourceAgent = implement(source, {
  say(ctx, word) {
    ctx.state.said.push(word);
    ctx.send(target, 'one', 'hear', word);
  },
  note(ctx, word) {
    ctx.state.said.push(word);
  },
  said: ctx => [...ctx.state.said],
});

const both = [sourceAgent, targetAgent] as const;

function nodeOn(data: string) {
  const faces: NodeFace[] = [];
  const troupe = composeTroupe({ agents: both, data }, async face => {
    faces.push(face);
    return { close: async () => undefined };
  });
  const storage = () => {
    const found = faces[0]?.data?.storage;
    if (found === undefined) throw new Error('the node has no storage');
    return found;
  };
  return {
    troupe,
    storage,
    one: troupe.agents.get(source, 'one'),
    heard: () => troupe.agents.get(target, 'one').execute('heard'),
  };
}

function damage(folder: string, text: string): void {
  const path = join(folder, 'log/00000000000000.log');
  const bytes = readFileSync(path);
  const place = bytes.indexOf(text);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  writeFileSync(path, bytes);
}

describe('a lineage', () => {
  it('begins anew after a repair that cuts: no new message is taken for an old one', async () => {
    using folder = folderOf({});
    const filled = nodeOn(folder.path);
    await filled.troupe.start();
    await filled.one.execute('say', 'first word');
    for (const word of ['damaged word', 'third word']) await filled.one.execute('say', word);
    await expect.poll(filled.heard).toEqual(['first word', 'damaged word', 'third word']);
    await filled.troupe.stop();
    damage(folder.path, 'damaged word');

    const data = await openData(folder.path);
    expect(await data.repair('source/one')).toMatchObject({ remedy: 'cut', keptCount: 1 });
    await data.close();
    const repaired = nodeOn(folder.path);
    await repaired.troupe.start();
    expect(await repaired.one.execute('said')).toEqual(['first word']);
    expect(await repaired.one.rebuild()).toEqual({ version: 1, matches: true });
    await repaired.one.execute('note', 'noted');
    await repaired.one.execute('say', 'new word');

    const all = ['first word', 'damaged word', 'third word', 'new word'];
    await expect.poll(repaired.heard).toEqual(all);
    await repaired.troupe.stop();

    // The new lineage is recorded: the next life goes on with its numbers.
    const again = nodeOn(folder.path);
    await again.troupe.start();
    await again.one.execute('say', 'last word');
    await expect.poll(again.heard).toEqual([...all, 'last word']);
    await again.troupe.stop();
  });

  it('begins anew when a running node repairs, and the agent is served again at once', async () => {
    using folder = folderOf({});
    const { troupe, storage, one, heard } = nodeOn(folder.path);
    await troupe.start();
    await one.execute('say', 'first word');
    for (const word of ['damaged word', 'third word']) await one.execute('say', word);
    await expect.poll(heard).toHaveLength(3);
    damage(folder.path, 'damaged word');

    expect(await storage().survey('source/one')).toMatchObject({ remedy: 'cut' });
    expect(await storage().repair('source/one')).toMatchObject({ remedy: 'cut' });

    expect(await one.execute('said')).toEqual(['first word']);
    await one.execute('say', 'new word');
    await expect.poll(heard).toHaveLength(4);
    expect((await heard()).at(-1)).toBe('new word');
    await troupe.stop();
  });

  it('begins anew after a restore, and what is sent then is heard', async () => {
    using folder = folderOf({});
    const [data, backup, restored] = ['data', 'backup', 'restored'].map(name =>
      join(folder.path, name),
    ) as [string, string, string];
    const filled = nodeOn(data);
    await filled.troupe.start();
    await filled.one.execute('say', 'before');
    await expect.poll(filled.heard).toEqual(['before']);
    await filled.storage().backUp(backup);
    await filled.one.execute('say', 'after');
    await expect.poll(filled.heard).toEqual(['before', 'after']);
    const { lineage } = filled.storage();
    await filled.troupe.stop();

    await restoreData({ backup, directory: restored });
    const node = nodeOn(restored);
    await node.troupe.start();
    expect(node.storage().lineage).not.toBe(lineage);
    expect(await node.heard()).toEqual(['before']);
    expect(await node.one.rebuild()).toMatchObject({ matches: true });
    await node.one.execute('say', 'instead');

    await expect.poll(node.heard).toEqual(['before', 'instead']);
    const senders = await sendersIn(node.storage(), 'target/one');
    expect(senders).toEqual([`source/one@${lineage}`, `source/one@${node.storage().lineage}`]);
    await node.troupe.stop();
  });
});

async function sendersIn(storage: ReturnType<ReturnType<typeof nodeOn>['storage']>, name: string) {
  const records = await storage.exportReadable(name);
  const texts = records.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  return texts.flatMap(text => /source\/one@[0-9a-f]+/.exec(text)?.[0] ?? []);
}
