/**
 * Flips one bit at each of 1,000 random places of a store of 100,000 acknowledged records and
 * prints what became of it. Usage: node scripts/bit-flips.ts [places] [records] [seed]
 */
import { type BitFlip, countVerdicts, flipBits } from '../test/faults/bit-flips.ts';

const [places = 1_000, recordCount = 100_000] = process.argv.slice(2, 4).map(Number);
const seed = process.argv[4] ?? '1';
const flips = await flipBits({
  seed,
  places,
  recordCount,
  logCount: Math.ceil(recordCount / 50),
  isClosed: true,
  // Several segments, checkpoints and compactions within the store.
  limits: { segmentBytes: 4 << 20, checkpointBytesMin: 2 << 20 },
  onPlace: showProgress,
});
const kinds = [...new Set(flips.map(kindOf))].sort();
for (const kind of kinds) {
  const { harmless, repaired, reported, silent } = countVerdicts(
    flips.filter(flip => kindOf(flip) === kind),
  );
  const counts = [harmless, repaired, reported, silent].map(count => String(count).padStart(10));
  if (kind === kinds[0])
    console.log(`${'file'.padEnd(10)}  harmless  repaired  reported    silent`);
  console.log(kind.padEnd(8), ...counts);
}
for (const flip of flips.filter(each => each.verdict === 'silent')) console.log(flip);
const total = countVerdicts(flips);
console.log(
  `bit flips: ${flips.length} places, ${total.harmless} harmless, ${total.repaired} repaired, ` +
    `${total.reported} reported, ${total.silent} silent`,
);
process.exitCode = total.silent > 0 ? 1 : 0;

function kindOf({ path }: BitFlip): string {
  return path.split('/')[0] ?? path;
}

function showProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('.');
}
