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

/**
 * Erlang on all cores, and on one scheduler as Node is: callers and server on different cores wake
 * each other dearly (measured: 0.6 M/s against 1.8 M/s with 64 callers). The better one counts.
 */
const settings = [[], ['+S', '1']];

function probe(id: string): () => Promise<Sample> {
  return () =>
    withFolder(async folder => {
      const source = join(import.meta.dirname, 'erlang', 'troupe_bench.erl');
      execFileSync('erlc', ['-o', folder, source]);
      const isRate = id !== 'erlang-bytes';
      const values = settings.slice(0, isRate ? 2 : 1).map(flags => {
        const run = `troupe_bench:main(["${id}","${windowMs}"]),halt().`;
        const parameters = [...flags, '-noshell', '-pa', folder, '-eval', run];
        const output = execFileSync('erl', parameters, { encoding: 'utf8' });
        const sample: Sample = JSON.parse(output);
        return sample[id] ?? Number.NaN;
      });
      return { [id]: Math.max(...values) };
    });
}

if (import.meta.main) {
  const ids = ['erlang-call-1', 'erlang-call-64', 'erlang-start', 'erlang-bytes'];
  await answerAsProbe(Object.fromEntries(ids.map(id => [id, probe(id)])));
}
