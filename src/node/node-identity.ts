/**
 * Who a node of a cluster is: its id, the name of this start, and a number that rises with each. A
 * directory keeps them. Who holds its lock knows that every earlier start there is over, and need
 * not wait for their leases to run out.
 */
import { join } from 'node:path';
import type { LeaseValue } from '../cluster/lease-value.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import { metaPath } from '../engines/embedded/meta.ts';
import { systemDisk } from '../engines/system/disk.ts';
import { fileMark } from '../engines/system/file-mark.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';

/** Who a node is. */
export interface NodeIdentity {
  /** Of the node, over all its starts. */
  readonly id: string;
  /** Of this start: nothing else has ever had this name. */
  readonly holder: string;
  /** Rises with each start. */
  readonly incarnation: number;
  /** What tells the directory from its copies; nothing without a directory. */
  readonly directoryMark: string | undefined;
  /** Whether it is proven that whoever wrote this lease does not run any more. */
  isProvenDead(previous: LeaseValue): boolean;
  /** Lets another process be this node. */
  release(): Promise<void>;
}

/** How an identity is found or made. */
export interface NodeIdentityOptions {
  /** Where it is kept. */
  readonly directory: string | undefined;
  /** The id that the program asks for. */
  readonly name: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

interface Kept {
  readonly id: string;
  readonly incarnation: number;
  /** The names of the last starts, newest first. */
  readonly holders: readonly string[];
}

const format = 1;
/** The lock that the embedded engine takes too: a directory is for one process. */
const lockPath = 'lock';
const filePath = 'node.json';
const fileBytesMax = 65_536;
/** A start that dies before it has claimed its lease leaves that of an earlier one. */
const holdersMax = 16;

/**
 * The identity of a node that starts now.
 *
 * @throws `DATA_LOCKED` while another process uses the directory; `CONFIG_INVALID` when it belongs
 * to another node or holds the data of a node without a cluster; `LOG_CORRUPT`, `DISK_FULL`,
 * `ENGINE_FAILED`.
 */
export async function openNodeIdentity(options: NodeIdentityOptions): Promise<NodeIdentity> {
  const { directory, name, clock, random } = options;
  const holder = random.hex(6);
  if (directory === undefined) {
    return {
      id: name ?? `node-${random.hex(4)}`,
      holder,
      incarnation: clock.now(),
      directoryMark: undefined,
      isProvenDead: () => false,
      release: async () => undefined,
    };
  }
  const disk = systemDisk(directory);
  await disk.makeDirectory('');
  const lock = await disk.lock(lockPath);
  try {
    await refuseData(disk, directory);
    const before = await keptIn(disk, directory);
    const { id, incarnation, holders } = nextOf(before, options);
    await keep(disk, { id, incarnation, holders: [holder, ...holders].slice(0, holdersMax) });
    const directoryMark = fileMark(join(directory, lockPath));
    return {
      id,
      holder,
      incarnation,
      directoryMark,
      isProvenDead: previous =>
        markIn(previous) === directoryMark &&
        holders.includes(previous.holder) &&
        previous.incarnation < incarnation,
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** By the clock, so that it also rises where nothing is kept between starts. */
function nextOf(before: Kept | undefined, options: NodeIdentityOptions): Kept {
  const { name, directory, clock, random } = options;
  const now = clock.now();
  if (before === undefined) {
    return { id: name ?? `node-${random.hex(4)}`, incarnation: now, holders: [] };
  }
  if (name === undefined || name === before.id) {
    return { ...before, incarnation: Math.max(before.incarnation + 1, now) };
  }
  throw new TroupeError('CONFIG_INVALID', {
    detail: `${directory} belongs to the node ${before.id}, not to ${name}; start it under that name, or give \`data\` another directory`,
  });
}

async function refuseData(disk: Disk, directory: string): Promise<void> {
  if (!(await disk.exists(metaPath))) return;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `${directory} holds the data of a node without a cluster, which would not be used; give \`data\` another directory, or leave out \`cluster\``,
  });
}

async function keptIn(disk: Disk, directory: string): Promise<Kept | undefined> {
  if (!(await disk.exists(filePath))) return undefined;
  const place = join(directory, filePath);
  const file = await disk.open(filePath, 'read');
  try {
    const bytes = await file.read(0, fileBytesMax);
    return keptOf(JSON.parse(new TextDecoder().decode(bytes)), place);
  } catch (error) {
    throw wrapError('LOG_CORRUPT', error, `${place} cannot be read; remove it to draw a new id`);
  } finally {
    await file.close();
  }
}

function keptOf(value: unknown, place: string): Kept {
  const fields = typeof value === 'object' && value !== null ? value : {};
  const written: unknown = Reflect.get(fields, 'format');
  if (typeof written === 'number' && written > format) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `${place} has format ${written}; this version knows ${format}`,
    });
  }
  const id: unknown = Reflect.get(fields, 'id');
  const incarnation: unknown = Reflect.get(fields, 'incarnation');
  const holders: unknown = Reflect.get(fields, 'holders');
  if (typeof id === 'string' && typeof incarnation === 'number' && Array.isArray(holders)) {
    return { id, incarnation, holders: holders.map(String) };
  }
  throw new TroupeError('LOG_CORRUPT', { detail: `${place} does not say which node it is` });
}

/** Durable before anything is claimed under the new name. */
async function keep(disk: Disk, kept: Kept): Promise<void> {
  const path = `${filePath}.new`;
  const file = await disk.open(path, 'create');
  try {
    await file.truncate(0);
    await file.write(0, new TextEncoder().encode(`${JSON.stringify({ format, ...kept })}\n`));
    await file.flush();
  } finally {
    await file.close();
  }
  await disk.rename(path, filePath);
  await disk.flushDirectory('');
}

function markIn({ details }: LeaseValue): unknown {
  return typeof details === 'object' && details !== null
    ? Reflect.get(details, 'directory')
    : undefined;
}
