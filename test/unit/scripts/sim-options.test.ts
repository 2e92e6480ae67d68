/** The options of `npm run sim`. */
import { describe, expect, it } from 'vitest';
import { readSimOptions, worldDefault } from '../../../scripts/sim-options.ts';

describe('readSimOptions', () => {
  it('has defaults', () => {
    expect(readSimOptions([])).toEqual({
      hours: 1,
      seed: 1,
      isTraced: false,
      jsonFile: undefined,
      cores: 1,
      engine: undefined,
      world: worldDefault,
    });
  });

  it('reads everything', () => {
    const words =
      '--hours 750 --seed 42 --json out.json --cores 2 --engine nats --world other.ts'.split(' ');
    expect(readSimOptions(words)).toEqual({
      hours: 750,
      seed: 42,
      isTraced: false,
      jsonFile: 'out.json',
      cores: 2,
      engine: 'nats',
      world: 'other.ts',
    });
  });

  it('uses no more cores than seeds, and one for a trace', () => {
    expect(readSimOptions(['--hours', '2.5', '--cores', '8'])).toMatchObject({ cores: 3 });
    expect(readSimOptions(['--hours', '9', '--cores', '8', '--trace'])).toMatchObject({ cores: 1 });
  });

  it('says what is wrong', () => {
    expect(readSimOptions(['--hours', 'many'])).toContain('--hours is many');
    expect(readSimOptions(['--hours', '0'])).toContain('--hours is 0');
    expect(readSimOptions(['--seed', '1.5'])).toContain('--seed is 1.5');
    expect(readSimOptions(['--cores', '0'])).toContain('--cores is 0');
    expect(readSimOptions(['--nonsense'])).toContain('--nonsense');
  });
});
