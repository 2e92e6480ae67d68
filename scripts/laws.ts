/**
 * `npm run laws`: checks every law of every port on every engine and prints one table. The last
 * line is `laws: K of M held`; the exit code is 1 unless all of them did.
 */
import { stopNatsServers } from '../test/laws/nats-subjects.ts';
import { lawSuites } from '../test/laws/suites.ts';

const widths = [10, 20] as const;

function row(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, index) =>
      index < 2 ? `${cell}`.padEnd(widths[index] ?? 0) : `${cell}`.padStart(8),
    )
    .join(' ');
}

const notes: string[] = [];
let held = 0;
let due = 0;
console.log(row(['port', 'engine', 'laws', 'held', 'excepted', 'broken', 'ms']));
for (const suite of lawSuites) {
  const startedAt = performance.now();
  const results = await suite.checkAll();
  const count = (status: string) => results.filter(result => result.status === status).length;
  const tookMs = Math.round(performance.now() - startedAt);
  const counts = [results.length, count('held'), count('excepted'), count('broken'), tookMs];
  console.log(row([suite.port, suite.engine, ...counts]));
  held += count('held');
  due += count('held') + count('broken');
  for (const result of results) {
    if (result.status === 'held') continue;
    notes.push(
      `${suite.port} on ${suite.engine}, ${result.status}: ${result.law}: ${result.reason}`,
    );
  }
}
const servers = await stopNatsServers();
for (const note of notes) console.log(note);
console.log(`NATS servers: ${servers.join(', ')}`);
console.log(`laws: ${held} of ${due} held`);
process.exit(held === due ? 0 : 1);
