/** Has the compiler look at this folder, so that the tests alone show when a promise is gone. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = 'node_modules/typescript/bin/tsc';

it('infers what it promises, and refuses every mistake', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [compiler, '-p', 'test/types', '--pretty', 'false'],
    { cwd: root },
  ).catch((failure: { stdout: string }) => failure);
  expect(stdout).toBe('');
});
