/** Reads all logs of a simulated world through the engine of its last life. */
import { textOf } from '../core/errors.ts';
import type { Log, StoredRecord } from '../ports/log.ts';
import type { SimProcess } from './sim-process.ts';
import type { TroupeProgram } from './sim-troupe-node.ts';
import { type TrueLog, trueLog } from './sim-troupe-truth.ts';
import type { Witness } from './sim-troupe-witness.ts';
import type { SimWorld } from './sim-world.ts';

const readingMs = 60_000;

/** The true histories of all agents; nothing when they cannot be read. */
export async function readLogs(
  world: SimWorld,
  node: SimProcess<TroupeProgram>,
  witness: Witness,
): Promise<readonly TrueLog[] | undefined> {
  const before = witness.now();
  let kept: ReadonlyMap<string, readonly StoredRecord[]> | undefined;
  node
    .call('audit', ({ log }) => readAll(log))
    .then(
      read => {
        kept = read;
      },
      (error: unknown) => world.violate('audit', textOf(error)),
    );
  await world.run({ untilMs: world.nowMs + readingMs, isDone: () => kept !== undefined });
  if (kept === undefined) return undefined;
  const names = new Set([...kept.keys(), ...witness.logs.keys()]);
  return [...names].map(name =>
    trueLog(name, kept?.get(name) ?? [], { log: witness.logs.get(name), before }),
  );
}

async function readAll(log: Log): Promise<Map<string, StoredRecord[]>> {
  const all = new Map<string, StoredRecord[]>();
  let cursor: string | undefined;
  do {
    const page = await log.heads({ cursor });
    cursor = page.cursor;
    for (const { name } of page.heads) all.set(name, await readKept(log, name));
  } while (cursor !== undefined);
  return all;
}

/** All records of a log that are kept, oldest first. */
export async function readKept(log: Log, name: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for (;;) {
    const slice = await log.read(name, { after: records.at(-1)?.seq ?? 0 });
    records.push(...slice.records);
    if (slice.isComplete) return records;
  }
}
