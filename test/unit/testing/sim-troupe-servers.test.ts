/** Simulated worlds on modelled NATS servers: they hold, can be repeated, and differ. */
import { describe, expect, it } from 'vitest';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { scenario } from '../../../src/testing/sim-troupe.ts';
import { faultListFor } from '../../../src/testing/sim-troupe-fault-points.ts';
import {
  drawServersPlan,
  natsTroupeFaults,
  natsTroupeMeetings,
} from '../../../src/testing/sim-troupe-servers.ts';
import { nodeTroubleKinds } from '../../../src/testing/sim-troupe-troubles.ts';

const timeoutMs = 120_000;
const engine = 'nats';
const plans = Array.from({ length: 400 }, (_, seed) => drawServersPlan(new SimRandom(`${seed}`)));

describe('the world on NATS servers', () => {
  it.each([1_001, 1_002, 1_003])(
    'keeps every promise for half an hour with seed %i',
    { timeout: timeoutMs },
    async seed => {
      const report = await scenario({ seed, hours: 0.5, engine });
      expect(report.violations).toEqual([]);
      expect(report.operations).toBeGreaterThan(1_000);
    },
  );

  it('runs the same way twice', { timeout: timeoutMs }, async () => {
    const run = () => scenario({ seed: 77, hours: 0.1, engine });
    const [first, second] = [await run(), await run()];
    expect(first.traceHash).toBe(second.traceHash);
    expect(first.operations).toBe(second.operations);
  });

  it('is another one than a seed draws by itself', { timeout: timeoutMs }, async () => {
    const [other, own] = [
      { seed: 78, hours: 0.01, engine },
      { seed: 78, hours: 0.01 },
    ];
    expect((await scenario(other)).traceHash).not.toBe((await scenario(own)).traceHash);
  });

  it('shows the faults of servers that did not fire, and none of disks', async () => {
    const { faults, faultPoints, met } = await scenario({ seed: 79, hours: 0.01, engine });
    expect(Object.keys(met)).toEqual(expect.arrayContaining([...natsTroupeMeetings]));
    expect(Object.keys(faults)).toEqual(expect.arrayContaining([...natsTroupeFaults]));
    expect(Object.keys(faults)).not.toContain('failed-flush');
    expect(Object.keys(faultPoints)).not.toContain('commit.flushed');
  });

  it('refuses an engine that there is not', async () => {
    const asked = scenario({ seed: 1, hours: 0.01, engine: 'postgres' });
    await expect(asked).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('the servers of a world', () => {
  it('are one or three, and three never of a version that is unsound with several', () => {
    for (const { servers, version } of plans) {
      if (servers === 3) expect(version).not.toMatch(/^2\.9\./);
    }
    expect(new Set(plans.map(({ servers }) => servers))).toEqual(new Set([1, 3]));
    expect(plans.some(({ version }) => version === '2.9.10')).toBe(true);
    expect(new Set(plans.map(({ pings }) => pings))).toEqual(new Set(['short', 'default']));
  });

  it('suffer each their own mix of faults, and all of them together all there are', () => {
    const kinds = plans.map(({ faultKinds }) => faultKinds.join());
    expect(new Set(kinds).size).toBeGreaterThan(50);
    const troubles = new Set(plans.flatMap(each => each.troubles.kinds));
    expect(troubles.size).toBe(nodeTroubleKinds.length);
    const requests = new Set(plans.flatMap(({ requestFaults }) => [...requestFaults.keys()]));
    expect(requests.size).toBe(10);
    for (const { requestFaults } of plans) {
      for (const rate of requestFaults.values()) expect(rate).toBeLessThan(0.011);
    }
  });
});

describe('the list of what worlds should meet', () => {
  it('is the whole one when seeds draw their engine', () => {
    const { kinds, points } = faultListFor(undefined);
    expect(kinds).toEqual(expect.arrayContaining(['failed-flush', 'engine-conflict']));
    expect(points.has('commit.flushed')).toBe(true);
  });

  it.each([
    ['embedded', 'failed-flush', 'engine-conflict'],
    ['memory', 'engine-conflict', 'failed-flush'],
    ['nats', 'nats-lost-ack', 'failed-flush'],
  ] as const)('is that of %s when it is named', (name, meets, never) => {
    const { kinds } = faultListFor(name);
    expect(kinds).toContain(meets);
    expect(kinds).not.toContain(never);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});
