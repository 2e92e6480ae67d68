/** The way out when nobody can tell whose records are unreadable. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, turn } from '../../../src/index.ts';
import { folderOf } from '../../helpers/folder-of.ts';
import { command } from '../../helpers/pretended-terminal.ts';

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

it('opens data that lost records of unknown agents, once that is consented to', async () => {
  using folder = folderOf({});
  const filled = createTroupe({ agents: [diaryAgent], data: folder.path });
  await filled.start();
  for (const line of ['one', 'two']) await filled.agents.get(diary, 'a').execute('add', line);
  await filled.stop();
  const around = { env: { TROUPE_DATA: folder.path } };
  expect(await command(['accept-loss'], around)).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('opens: nothing has to be given up'),
  });
  damageLastHeader(folder.path);

  const unopened = createTroupe({ agents: [diaryAgent], data: folder.path });
  await expect(unopened.start()).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
    detail: expect.stringContaining('troupe accept-loss'),
  });
  expect(await command(['accept-loss'], around)).toMatchObject({
    exitCode: 1,
    output: expect.stringMatching(/nobody can tell whose it was[\s\S]*with --yes/),
  });
  expect(await command(['accept-loss', '--yes'], around)).toMatchObject({
    exitCode: 0,
    output: expect.stringMatching(/1 records[\s\S]*given up/),
  });

  await using opened = createTroupe({ agents: [diaryAgent], data: folder.path });
  await opened.start();
  const one = opened.agents.get(diary, 'a');
  expect(await one.execute('lines')).toEqual(['one']);
  await one.execute('add', 'three');
  expect(await one.execute('lines')).toEqual(['one', 'three']);
});

it('says that there are no data', async () => {
  using folder = folderOf({});
  const { exitCode, errors } = await command(['accept-loss', '--data', folder.path]);
  expect(errors).toContain('holds no data');
  expect(exitCode).toBe(1);
});

/** A record begins with a header of 40 bytes, and then says the name of its log. */
function damageLastHeader(data: string): void {
  const path = join(data, 'log/00000000000000.log');
  const bytes = readFileSync(path);
  const place = bytes.lastIndexOf('diary/a') - 40 + 5;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  writeFileSync(path, bytes);
}
