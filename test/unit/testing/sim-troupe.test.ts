/** The simulated world of the real runtime: it runs, finds nothing wrong, and can be repeated. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTroupe, scenario } from '../../../src/testing/sim-troupe.ts';
import { checkTroupe } from '../../../src/testing/sim-troupe-checks.ts';
import {
  appendSent,
  troupeFaultKinds,
  troupeFaultPoints,
} from '../../../src/testing/sim-troupe-fault-points.ts';

const timeoutMs = 120_000;

describe('the world of the real runtime', () => {
  it.each([
    { engine: 'embedded', seed: 1_001 },
    { engine: 'embedded', seed: 1_002 },
    { engine: 'memory', seed: 1_004 },
  ])(
    'keeps every promise for an hour on the $engine engine',
    { timeout: timeoutMs },
    async each => {
      const report = await scenario({ seed: each.seed, hours: 1 });
      expect(report.violations).toEqual([]);
      expect(report.operations).toBeGreaterThan(3_000);
    },
  );

  it('runs the same way twice', { timeout: timeoutMs }, async () => {
    const hashes: string[] = [];
    for (const seed of [10, 10, 13, 13]) {
      hashes.push((await scenario({ seed, hours: 0.1 })).traceHash);
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).toBe(hashes[3]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('leaves what is set in motion last the time to come to its end', async () => {
    const { history } = await runTroupe({ seed: 13, hours: 0.05 });
    if (history === undefined) throw new Error('the logs cannot be read');
    const { healedMs, endMs } = history.limits;
    const starts = history.operations.map(each => each.startMs);
    expect(endMs - Math.max(...starts)).toBeGreaterThanOrEqual(120_000);
    // And until then somebody answers whatever asks.
    expect(starts.filter(startMs => startMs > healedMs).length).toBeGreaterThanOrEqual(3);
  });

  it('names every fault point of the sources, and no other', () => {
    // The runtime keeps no blobs, so no world of it can pass the points of that engine.
    const named = namedFaultPoints('src').filter(name => !name.startsWith('blob.'));
    // The memory engine has none of its own: the world puts one before it.
    expect([...named, appendSent].sort()).toEqual([...troupeFaultPoints.keys()].sort());
  });

  it('shows faults that did not fire as well', async () => {
    const { faults } = await scenario({ seed: 11, hours: 0.01 });
    expect(Object.keys(faults)).toEqual(expect.arrayContaining([...troupeFaultKinds]));
  });
});

describe('its checks', () => {
  it('notice records that are gone, and answers that are wrong', async () => {
    const { history } = await runTroupe({ seed: 13, hours: 0.05 });
    if (history === undefined) throw new Error('the logs cannot be read');
    expect(checkTroupe(history)).toEqual([]);

    const logs = history.logs.map(log => ({ ...log, records: log.records.slice(0, -3) }));
    const kinds = checkTroupe({ ...history, logs }).map(each => each.check);
    expect(kinds).toEqual(expect.arrayContaining(['acknowledged', 'once', 'durable-first']));

    const operations = history.operations.map(each =>
      each.stamp === undefined ? each : { ...each, output: { total: -1, turns: -1 } },
    );
    expect(checkTroupe({ ...history, operations }).map(each => each.check)).toContain('fold');
  });
});

/** The names that production code gives to its fault points. */
function namedFaultPoints(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter(file => file.endsWith('.ts') && !file.startsWith('testing'))
    .map(file => readFileSync(join(folder, file), 'utf8'))
    .flatMap(text => [...text.matchAll(/aultPoint\('([^']+)'/g)].map(([, name]) => name ?? ''));
}
