/**
 * One flipped bit at random places of a log of acknowledged records, in memory: a fresh copy each
 * time, opened, every log read and compared. Each flip must be harmless, repaired or reported;
 * never a log that is silently wrong or shorter.
 */
import { createHash } from 'node:crypto';
import { TroupeError } from '../../src/core/errors.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import type { StoreLimits } from '../../src/engines/embedded/options.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { MemoryDisk } from '../helpers/memory-disk.ts';

/** How {@link flipBits} works. */
export interface BitFlipOptions {
  readonly seed: string;
  readonly logCount: number;
  readonly recordCount: number;
  readonly places: number;
  /** Whether the store is closed before it is damaged, or left as a killed process leaves it. */
  readonly isClosed: boolean;
  readonly limits?: Partial<StoreLimits> | undefined;
  readonly onPlace?: ((flip: BitFlip) => void) | undefined;
}

/** What became of a flip. */
export type FlipVerdict = 'harmless' | 'repaired' | 'reported' | 'silent';

/** One flip. */
export interface BitFlip {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
  readonly verdict: FlipVerdict;
  readonly detail: string;
}

/** The log of a store as it must be: a digest by name. */
type Contents = ReadonlyMap<string, string>;

const random = systemRandom();

/** Fills a store, then flips one bit after the other, each in a copy of its own. */
export async function flipBits(options: BitFlipOptions): Promise<BitFlip[]> {
  const draw = new SimRandom(`bit-flips/${options.seed}`);
  const { disk, contents } = await fill(options, draw);
  const flips: BitFlip[] = [];
  for (let count = 0; count < options.places; count += 1) {
    const { path, offset } = placeIn(disk, draw);
    const bit = draw.below(8);
    const copy = disk.fork();
    copy.flip(path, offset, bit);
    const flip = { path, offset, bit, ...(await judge(copy, contents, options)) };
    options.onPlace?.(flip);
    flips.push(flip);
  }
  return flips;
}

/** How many flips had each verdict. */
export function countVerdicts(
  flips: readonly { readonly verdict: FlipVerdict }[],
): Record<FlipVerdict, number> {
  const counts = { harmless: 0, repaired: 0, reported: 0, silent: 0 };
  for (const { verdict } of flips) counts[verdict] += 1;
  return counts;
}

async function fill(options: BitFlipOptions, draw: SimRandom) {
  const { logCount, recordCount, limits } = options;
  const disk = new MemoryDisk(false);
  const log = await openEmbeddedLog({ disk, random, limits });
  const tails = new Map<string, number>();
  const perRound = Math.min(logCount, 64);
  for (let written = 0; written < recordCount; written += perRound) {
    const names = new Set(Array.from({ length: perRound }, () => `agent/${draw.below(logCount)}`));
    await Promise.all(
      [...names].map(async name => {
        const isSnapshot = draw.chance(0.05);
        const bytes = Uint8Array.from({ length: 20 + draw.below(200) }, () => draw.below(256));
        const wakeAt = draw.chance(0.1) ? draw.below(1_000) : undefined;
        const expected = tails.get(name) ?? 0;
        const result = await log.append(name, expected, [{ bytes, isSnapshot }], { wakeAt });
        if (result.status !== 'accepted') throw new Error(`not accepted: ${result.status}`);
        tails.set(name, result.seq);
        if (isSnapshot && draw.chance(0.5)) await log.trim(name, result.seq);
      }),
    );
  }
  const contents = await contentsOf(log);
  if (options.isClosed) await log.close();
  return { disk: disk.fork(), contents };
}

async function contentsOf(log: EmbeddedLog): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const { name, tail, wakeAt } of await headsOf(log)) {
    contents.set(name, await digestOf(log, name, `${tail} ${wakeAt}`));
  }
  return contents;
}

async function headsOf(log: EmbeddedLog) {
  const heads = [];
  let page = await log.heads({});
  heads.push(...page.heads);
  while (page.cursor !== undefined) {
    page = await log.heads({ cursor: page.cursor });
    heads.push(...page.heads);
  }
  return heads;
}

async function digestOf(log: EmbeddedLog, name: string, head: string): Promise<string> {
  const hash = createHash('sha1').update(head);
  let after = 0;
  for (;;) {
    const slice = await log.read(name, { after, recordsMax: 100_000 });
    for (const { seq, bytes, isSnapshot } of slice.records) {
      hash.update(`|${seq} ${isSnapshot}|`).update(bytes);
      after = seq;
    }
    if (slice.isComplete) return hash.digest('hex');
  }
}

function placeIn(disk: MemoryDisk, draw: SimRandom): { path: string; offset: number } {
  const files = [...disk.files].map(([path, { size }]) => ({ path, size }));
  const total = files.reduce((sum, { size }) => sum + size, 0);
  // Half of the flips go anywhere; the others to the small files too, which are as important.
  const file = draw.chance(0.9) ? undefined : draw.pick(files.filter(({ size }) => size > 0));
  if (file !== undefined) return { path: file.path, offset: draw.below(file.size) };
  let offset = draw.below(total);
  for (const { path, size } of files) {
    if (offset < size) return { path, offset };
    offset -= size;
  }
  throw new Error('a store has bytes');
}

async function judge(
  disk: MemoryDisk,
  contents: Contents,
  { limits, isClosed }: BitFlipOptions,
): Promise<{ verdict: FlipVerdict; detail: string }> {
  let log: EmbeddedLog;
  try {
    log = await openEmbeddedLog({ disk, random, limits });
  } catch (error) {
    return { verdict: codeIn(error) === undefined ? 'silent' : 'reported', detail: String(error) };
  }
  const { wrong, reported } = await compare(log, contents);
  const { repairs, cut } = log.recovery;
  const mayBeCut = !isClosed && cut !== undefined;
  if (wrong.length > 0 && !mayBeCut) return { verdict: 'silent', detail: wrong.join('; ') };
  if (reported.length > 0) return { verdict: 'reported', detail: reported.join('; ') };
  if (cut !== undefined) return { verdict: 'reported', detail: `cut ${cut.bytes} bytes` };
  if (repairs.length > 0) return { verdict: 'repaired', detail: repairs.join('; ') };
  return { verdict: 'harmless', detail: '' };
}

async function compare(log: EmbeddedLog, contents: Contents) {
  const wrong: string[] = [];
  const reported: string[] = [];
  const heads = new Map((await headsOf(log)).map(head => [head.name, head]));
  for (const name of heads.keys()) if (!contents.has(name)) wrong.push(`${name} is new`);
  for (const [name, digest] of contents) {
    const head = heads.get(name);
    try {
      const found = await digestOf(log, name, `${head?.tail} ${head?.wakeAt}`);
      if (found !== digest) wrong.push(`${name} differs`);
    } catch (error) {
      if (codeIn(error) === 'LOG_CORRUPT') reported.push(String(error));
      else wrong.push(`${name}: ${String(error)}`);
    }
  }
  return { wrong, reported };
}

/** The code of an error that says loudly what is wrong. */
function codeIn(error: unknown): string | undefined {
  const loud = ['LOG_CORRUPT', 'LOG_REGRESSED', 'ENGINE_UNSUPPORTED', 'CONFIG_INVALID'];
  return TroupeError.is(error) && loud.includes(error.code) ? error.code : undefined;
}
