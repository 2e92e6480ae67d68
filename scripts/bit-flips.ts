/**
 * Flips one bit at each of 1,000 random places of a store of 100,000 acknowledged turns, half of
 * them in a store that was closed and half in one that was killed, and prints what became of it.
 */
import { parseArgs } from 'node:util';
import { countVerdicts } from '../test/faults/bit-flips.ts';
import { flipStore, type StoreFlip } from '../test/faults/store-flips.ts';

const { values } = parseArgs({
  options: {
    places: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    turns: { type: 'string', default: '100000' },
  },
});

const startedAt = performance.now();
const flips = await flipStore({
  seed: values.seed,
  turns: countIn('turns', values.turns),
  places: countIn('places', values.places),
  agentCount: 400,
  threads: 2,
  // Several segments, checkpoints and compactions within the store.
  limits: { segmentBytes: 4 << 20, checkpointBytesMin: 2 << 20 },
  onFilled: (agentCount, recordCount) =>
    console.log(
      `${values.turns} turns of ${agentCount} agents, ${recordCount} records kept, seed ${values.seed}`,
    ),
  onFlip: () => process.stderr.isTTY && process.stderr.write('.'),
});

console.log(row('file', 'store', ['harmless', 'repaired', 'reported', 'silent']));
for (const [kind, variant] of kindsOf(flips)) {
  const own = flips.filter(flip => kindOf(flip) === kind && flip.variant === variant);
  console.log(row(kind, variant, Object.values(countVerdicts(own)).map(String)));
}
for (const flip of flips.filter(({ verdict }) => verdict === 'silent')) console.log(flip);
const seconds = Math.round((performance.now() - startedAt) / 1_000);
console.log(`took ${seconds} s`);
const total = countVerdicts(flips);
console.log(
  `bit flips: ${flips.length} places, ${total.harmless} harmless, ${total.repaired} repaired, ` +
    `${total.reported} reported, ${total.silent} silent`,
);
process.exitCode = total.silent > 0 ? 1 : 0;

function kindOf({ path }: StoreFlip): string {
  return path.split('/')[0] ?? path;
}

function kindsOf(all: readonly StoreFlip[]): (readonly [string, string])[] {
  const kinds = new Set(all.map(flip => `${kindOf(flip)} ${flip.variant}`));
  return [...kinds].toSorted().map(text => text.split(' ') as [string, string]);
}

function row(file: string, store: string, counts: readonly string[]): string {
  return [file.padEnd(8), store.padEnd(8), ...counts.map(count => count.padStart(10))].join(' ');
}

function countIn(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`--${name} is ${text}; it must be a whole number above 0`);
}
