/**
 * What the same work costs in Erlang, when `erl` is on the PATH: the source lies in `erlang/`, is
 * compiled into a temporary folder, and prints its own sample.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { answerAsProbe, type Sample, windowMs } from './measure.ts';
import { withFolder } from './workspace.ts';

/** Whether Erlang can be run here. */
export function hasErlang(): boolean {
  return ['erl', 'erlc'].every(isOnPath);
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function probe(id: string): () => Promise<Sample> {
  return () =>
    withFolder(async folder => {
      const source = join(import.meta.dirname, 'erlang', 'troupe_bench.erl');
      execFileSync('erlc', ['-o', folder, source]);
      const run = `troupe_bench:main(["${id}","${windowMs}"]),halt().`;
      const output = execFileSync('erl', ['-noshell', '-pa', folder, '-eval', run], {
        encoding: 'utf8',
      });
      return JSON.parse(output);
    });
}

if (import.meta.main) {
  const ids = ['erlang-call-1', 'erlang-call-64', 'erlang-start', 'erlang-bytes'];
  await answerAsProbe(Object.fromEntries(ids.map(id => [id, probe(id)])));
}
