/**
 * A damaged segment: the agent whose record it is stops, loudly, and no other; an operator looks at
 * what can be read, keeps it, and consents to the loss of the rest.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, turn } from '../../src/index.ts';
import { openData } from '../../src/node/data-directory.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';
import { firstEntryOf } from './first-entry.ts';

const diary = defineAgent('diary', {
  state: z.object({ lines: z.array(z.string()).default([]) }),
  actions: { add: turn({ input: z.string() }), lines: read({ output: z.array(z.string()) }) },
});
const diaryAgent = implement(diary, {
  add(ctx, line) {
    ctx.state.lines.push(line);
  },
  lines: ctx => [...ctx.state.lines],
});
const segment = 'log/00000000000000.log';

describe('a damaged segment', () => {
  it('stops its agent until a repair that was consented to, and loses no other', async () => {
    using folder = folderOf({});
    const filled = createTroupe({ agents: [diaryAgent], data: folder.path });
    await filled.start();
    for (const line of ['the first line', 'the second line', 'the third line']) {
      await filled.agents.get(diary, 'a').execute('add', line);
      await filled.agents.get(diary, 'b').execute('add', line);
    }
    await filled.stop();
    const path = join(folder.path, segment);
    const bytes = readFileSync(path);
    const place = bytes.indexOf('the second line');
    bytes.writeUInt8(bytes.readUInt8(place) ^ 0x01, place);
    writeFileSync(path, bytes);

    const { logger, first } = firstEntryOf('error');
    const damaged = createTroupe({ agents: [diaryAgent], data: folder.path, logger });
    await damaged.start();
    const acts = [
      () => damaged.agents.get(diary, 'a').execute('lines'),
      () => damaged.agents.get(diary, 'a').execute('add', 'a fourth line'),
    ];
    for (const act of acts) {
      const error = await mistakeIn(act);
      expect(error).toMatchObject({ code: 'LOG_CORRUPT', outcome: 'not-executed' });
      expect(error.detail).toContain('diary/a');
      expect(error.detail).toMatch(/log\/00000000000000\.log at offset \d+/);
      expect(error.detail).toContain('troupe agents repair diary/a');
    }
    expect((await first).data).toMatchObject({ agent: 'diary/a', code: 'LOG_CORRUPT' });
    await damaged.agents.get(diary, 'b').execute('add', 'a fourth line');
    await damaged.stop();

    const data = await openData(folder.path);
    const survey = await data.survey('diary/a');
    expect(survey).toMatchObject({ name: 'diary/a', remedy: 'cut', keptCount: 1 });
    expect(survey.readableCount).toBe(2);
    expect(survey.damage).toContain(segment);
    const exported = await data.exportReadable('diary/a');
    const texts = exported.map(record => Buffer.from(record.bytes).toString('latin1'));
    expect(texts[0]).toContain('the first line');
    expect(texts[1]).toContain('the third line');
    expect(await data.repair('diary/a')).toEqual(survey);
    await data.close();

    await using repaired = createTroupe({ agents: [diaryAgent], data: folder.path });
    await repaired.start();
    const [a, b] = [repaired.agents.get(diary, 'a'), repaired.agents.get(diary, 'b')];
    expect(await a.execute('lines')).toEqual(['the first line']);
    await a.execute('add', 'a new line');
    expect(await a.execute('lines')).toEqual(['the first line', 'a new line']);
    expect(await b.execute('lines')).toHaveLength(4);
  });
});
