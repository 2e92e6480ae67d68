/**
 * What a log could do at best: records of 300 B or 4 KB, 256 in flight, written together and
 * flushed once per batch, through nothing but the file system. No agents, no frames, no checksums.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { answerAsProbe, callsPerSecond, type Sample } from './measure.ts';
import { withFolder } from './workspace.ts';

const inFlight = 256;

class GroupCommit {
  readonly #file: FileHandle;
  #isFlushing = false;
  #records: Buffer[] = [];
  #resolves: (() => void)[] = [];

  constructor(file: FileHandle) {
    this.#file = file;
  }

  append(record: Buffer): Promise<void> {
    return new Promise(resolve => {
      this.#records.push(record);
      this.#resolves.push(resolve);
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      // The records of one tick travel together.
      setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#records.length > 0) {
      const bytes = Buffer.concat(this.#records);
      const resolves = this.#resolves;
      this.#records = [];
      this.#resolves = [];
      await this.#file.write(bytes);
      await this.#file.datasync();
      for (const resolve of resolves) resolve();
    }
    this.#isFlushing = false;
  }
}

async function appendTogether(id: string, recordBytes: number): Promise<Sample> {
  return withFolder(async folder => {
    const file = await open(join(folder, 'log'), 'w');
    const log = new GroupCommit(file);
    const record = Buffer.alloc(recordBytes, 7);
    const rate = await callsPerSecond(inFlight, () => log.append(record));
    await file.close();
    return { [id]: rate };
  });
}

if (import.meta.main) {
  await answerAsProbe({
    'append-file': () => appendTogether('append-file', 300),
    'append-file-4k': () => appendTogether('append-file-4k', 4_096),
  });
}
