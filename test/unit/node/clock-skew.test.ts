/** When the clock of a machine is too far from those of the servers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apartMs, type ClockReport, checkClock, skewText } from '../../../src/node/clock-skew.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { mistakeIn } from '../../helpers/mistake-in.ts';

function report(name: string, clockAheadMs: number, clockDoubtMs = 1): ClockReport {
  return { name, clockAheadMs, clockDoubtMs };
}

/** What was warned of. */
function warningsOf(...reports: readonly ClockReport[]): string[] {
  const heard: string[] = [];
  const quiet = () => undefined;
  const warn = (text: string) => void heard.push(text);
  const logger: Logger = { debug: quiet, info: quiet, warn, error: quiet };
  checkClock(reports, logger);
  return heard;
}

describe('a clock', () => {
  it('will do within a second, and where nobody says what time it is', () => {
    expect(warningsOf()).toEqual([]);
    expect(warningsOf(report('s1', 999), report('s2', -1_000))).toEqual([]);
  });

  it('is worth a word beyond, up to ten seconds', () => {
    expect(warningsOf(report('s1', 1_200), report('s2', 0))).toEqual([
      'the clock of the NATS server s1 is 1.2 s ahead of that of this machine; keep the clocks of all machines in step with NTP',
    ]);
    expect(warningsOf(report('s1', -10_000))).toHaveLength(1);
  });

  it('is refused when it is further off than that from most servers', async () => {
    const refusal = {
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/server s1 is 11\.0 s behind .* 10 s are the limit; .* NTP/),
    };
    expect(await mistakeIn(() => warningsOf(report('s1', -11_000)))).toMatchObject(refusal);
    const three = [report('s1', -11_000), report('s2', -11_000), report('s3', 0)];
    expect(await mistakeIn(() => warningsOf(...three))).toMatchObject(refusal);
  });

  it('is not blamed for one server that is off, but that is told', () => {
    const three = [report('s1', 0), report('s2', 0), report('s3', 3_600_000)];
    expect(warningsOf(...three)).toEqual([expect.stringContaining('s3 is 3600.0 s ahead')]);
  });

  it('is not blamed for an answer that took long', () => {
    expect(warningsOf(report('s1', 15_000, 14_500))).toEqual([]);
    expect(warningsOf(report('s1', 15_000, 6_000))).toHaveLength(1);
  });

  it('is never said to be further off than the answer proves', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), (ahead, doubt) => {
        const apart = apartMs(report('s', ahead, doubt));
        expect(apart).toBeGreaterThanOrEqual(0);
        expect(apart).toBeLessThanOrEqual(Math.abs(ahead));
        expect(skewText(report('s', ahead, doubt))).toContain(ahead > 0 ? 'ahead of' : 'behind');
      }),
    );
  });
});
