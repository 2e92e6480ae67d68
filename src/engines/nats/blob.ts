/**
 * Large values on JetStream, by the hash of their content: cut into parts, each a message under a
 * name that says what is in it, and a head that says that all of them are there. Not the protocol
 * of NATS's object store: there each upload has parts of its own, and a deletion that meets an
 * upload of the same name leaves parts that nobody owns, or none.
 */
import { createHash } from 'node:crypto';
import { TroupeError } from '../../core/errors.ts';
import type { Blob } from '../../ports/blob.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { BlobHead } from './blob-head.ts';
import { BlobStore, type FoundHead, type StoredHead } from './blob-store.ts';
import type { NatsClient } from './client.ts';
import type { RecordParts } from './leader-record.ts';
import { repeat } from './repeat.ts';

/** What blobs stand on. */
export interface NatsBlobOptions {
  /** Whoever made it closes it. */
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The name of the cluster, whose stream of blobs exists. */
  readonly cluster: string;
  /** How long one request may take (default 5,000). */
  readonly timeoutMs?: number | undefined;
  /** How long is repeated what the servers cannot do at the moment (default 10,000). */
  readonly repeatMs?: number | undefined;
}

const timeoutMsDefault = 5_000;
const repeatMsDefault = 10_000;
const blobBytesMax = 1_073_741_824;
const partBytesMax = 524_288;
/** What the subject, headers and the line before them take of the largest message. */
const lineBytesMax = 1_024;
/** So many parts are on their way at once. */
const partsInFlight = 4;
/** How often storing begins again because another stored or swept the same bytes. */
const attemptsMax = 8;
/** A blob that was begun and not finished for so long was left by a process that died. */
const storingMsMax = 600_000;

/** What is noted where there never was a blob. */
const noBlob = { size: 0, partBytes: 1 } as const;

const idPattern = /^[0-9a-f]{64}$/;

/**
 * Opens the blobs of a cluster.
 *
 * @remarks Ages go by the clock of the servers. Storing what is there already writes it again,
 * which mends it and makes it young.
 */
export function openNatsBlob(options: NatsBlobOptions): Blob {
  return new NatsBlob(options);
}

class NatsBlob implements Blob {
  readonly #client: NatsClient;
  readonly #parts: RecordParts;
  readonly #store: BlobStore;
  #isClosed = false;

  constructor({ client, clock, random, cluster, timeoutMs, repeatMs }: NatsBlobOptions) {
    this.#client = client;
    this.#parts = {
      client,
      clock,
      random,
      timeoutMs: timeoutMs ?? timeoutMsDefault,
      repeatMs: repeatMs ?? repeatMsDefault,
    };
    this.#store = new BlobStore(this.#parts, cluster);
  }

  async put(bytes: Uint8Array): Promise<string> {
    this.#refuseClosed();
    if (bytes.length > blobBytesMax) {
      throw new TroupeError('PAYLOAD_TOO_LARGE', {
        detail: `a blob of ${bytes.length} bytes; at most ${blobBytesMax}`,
      });
    }
    // The caller may change its bytes while they are sent.
    const owned = Uint8Array.from(bytes);
    const id = hashOf(owned);
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      if (await this.#tryToPut(id, owned)) return id;
    }
    throw new TroupeError('ENGINE_UNAVAILABLE', {
      detail: `storing blob ${id}: others stored and swept it, ${attemptsMax} times meanwhile`,
    });
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    if (!idPattern.test(id)) return undefined;
    let damagedSeq = 0;
    return repeat(this.#parts, this.#parts.repeatMs, async () => {
      const found = await this.#store.head(id);
      if (found?.head.state !== 'stored') {
        const isSo = await this.#isConfirmed(id, found);
        return isSo ? { value: undefined } : { passing: disputed(id) };
      }
      const bytes = await this.#read(id, found.head);
      if (bytes !== undefined && hashOf(bytes) === id) return { value: bytes };
      // With a new head it was stored anew, or swept, while it was read.
      if (found.seq === damagedSeq) throw damaged(id);
      damagedSeq = found.seq;
      return { passing: disputed(id) };
    });
  }

  async sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number> {
    this.#refuseClosed();
    const nowMs = await this.#store.serverTimeMs();
    const seen = new Set<string>();
    let swept = 0;
    let next = await this.#store.nextHead(1);
    for (; next !== undefined; next = await this.#store.nextHead(next.seq + 1)) {
      seen.add(next.id);
      const isDue = !keep.has(next.id) && isOld(next, nowMs, olderThanMs);
      if (await this.#sweepOne(next, isDue)) swept += 1;
    }
    for (const id of await this.#store.idsOfParts()) {
      if (!seen.has(id)) await this.#remove(id, noBlob, 0);
    }
    return swept;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** False when another wrote the head meanwhile, in a way that leaves open what is there. */
  async #tryToPut(id: string, bytes: Uint8Array): Promise<boolean> {
    const { length: size } = bytes;
    const partBytes = Math.min(partBytesMax, this.#client.server.payloadBytesMax - lineBytesMax);
    const found = await this.#store.head(id);
    let expectedSeq: number | undefined = found?.seq ?? 0;
    if (found === undefined || found.head.state === 'removed') {
      const head: BlobHead = { state: 'storing', size, partBytes };
      expectedSeq = await this.#store.writeHead(id, head, expectedSeq);
      if (expectedSeq === undefined) return false;
    }
    await inParallel(Math.ceil(size / partBytes), index =>
      this.#store.writePart(
        { id, partBytes, index },
        bytes.subarray(index * partBytes, (index + 1) * partBytes),
      ),
    );
    const head: BlobHead = { state: 'stored', size, partBytes };
    if ((await this.#store.writeHead(id, head, expectedSeq)) !== undefined) return true;
    // Whoever wrote a later head that says so had written all parts before.
    const now = await this.#store.head(id);
    return now?.head.state === 'stored' && now.seq > expectedSeq;
  }

  /**
   * Whether a blob is truly not there: a read may be old, and whoever asks knows the id from
   * somewhere. Writing again what was read, if that is still so, settles it.
   */
  async #isConfirmed(id: string, found: StoredHead | undefined): Promise<boolean> {
    if (found?.head.state === 'storing') {
      return (await this.#store.writeHead(id, found.head, found.seq)) !== undefined;
    }
    return this.#remove(id, found?.head ?? noBlob, found?.seq ?? 0);
  }

  /** The bytes as they are, if all parts are there. */
  async #read(id: string, { size, partBytes }: BlobHead): Promise<Uint8Array | undefined> {
    if (size > blobBytesMax) return undefined;
    const bytes = new Uint8Array(size);
    let isWhole = true;
    await inParallel(Math.ceil(size / partBytes), async index => {
      const part = await this.#store.part({ id, partBytes, index });
      const start = index * partBytes;
      const isFit = part?.length === Math.min(partBytes, size - start);
      if (part !== undefined && isFit) bytes.set(part, start);
      else isWhole = false;
    });
    return isWhole ? bytes : undefined;
  }

  /** Tells whether a blob went that was there. */
  async #sweepOne({ id, seq, head }: FoundHead, isDue: boolean): Promise<boolean> {
    if (head === undefined) return false;
    if (head.state === 'removed') {
      // Whoever removed it died before the rest was gone.
      await this.#store.purge(id, seq);
      return false;
    }
    return isDue && (await this.#remove(id, head, seq)) && head.state === 'stored';
  }

  /** The conditional write comes first: whoever stores the same bytes notices, and begins anew. */
  async #remove(
    id: string,
    head: Pick<BlobHead, 'size' | 'partBytes'>,
    seq: number,
  ): Promise<boolean> {
    const removedSeq = await this.#store.writeHead(id, { ...head, state: 'removed' }, seq);
    if (removedSeq === undefined) return false;
    await this.#store.purge(id, removedSeq);
    return true;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the blobs are closed' });
  }
}

function damaged(id: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', { detail: `blob ${id} does not fit its hash` });
}

function disputed(id: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `blob ${id} changes while it is read, or the servers do not agree about it`,
    outcome: 'not-executed',
  });
}

/** Nobody knows what a damaged head belongs to; it stays, and whoever reads the blob is told. */
function isOld({ storedMs, head }: FoundHead, nowMs: number, olderThanMs: number): boolean {
  const ageMs = head?.state === 'storing' ? Math.max(olderThanMs, storingMsMax) : olderThanMs;
  return storedMs < nowMs - ageMs;
}

/** Does so many things, a few of them at once. */
async function inParallel(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await task(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(partsInFlight, count) }, work));
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
