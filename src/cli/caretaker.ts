/**
 * Backups and repairs, by whoever has the data: the node, while one runs, and else this command
 * itself, which then opens the directory as a node would.
 */
import { resolve } from 'node:path';
import { TroupeError } from '../core/errors.ts';
import { readAdminAddress } from '../gateway/admin-files.ts';
import { readableRecords } from '../gateway/readable-records.ts';
import { fromWire, type Json, toWire } from '../gateway/wire.ts';
import type { ClusterCopyReport } from '../node/cluster-copies.ts';
import {
  type CopyReport,
  type LogSurvey,
  type OpenedData,
  openData,
  summaryOf,
} from '../node/data-directory.ts';
import { isUnreachable } from './exit-codes.ts';
import { dataDirectoryOf } from './locate-node.ts';
import type { Session } from './session.ts';

/** Takes care of a data directory. */
export interface Caretaker extends AsyncDisposable {
  /** Whether the node does it, and goes on meanwhile. */
  readonly isLive: boolean;
  survey(address: string): Promise<LogSurvey>;
  /** What can be read of a log, as JSON values. */
  readable(address: string): AsyncIterable<Json>;
  repair(address: string): Promise<LogSurvey>;
  backUp(directory: string): Promise<CopyReport | ClusterCopyReport>;
}

/**
 * Finds who takes care of the data that the options name.
 *
 * @throws `NODE_UNREACHABLE` when the options name a node that does not answer; `DATA_LOCKED` when
 * a node without an admin API uses the directory; `CONFIG_INVALID` when there are no data.
 */
export async function openCaretaker(session: Session): Promise<Caretaker> {
  if (await hasNode(session)) return liveCaretaker(session);
  const directory = dataDirectoryOf(session.options, session.terminal.env);
  if ((await summaryOf(directory)) === undefined) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${directory} holds no data; say with --data which directory you mean`,
    });
  }
  return offlineCaretaker(await openData(directory));
}

/** Whether a node answers. An address that is given is meant; one that lies about may be old. */
async function hasNode(session: Session): Promise<boolean> {
  const { options, terminal } = session;
  const isGiven = options.url !== undefined;
  if (!isGiven && readAdminAddress(dataDirectoryOf(options, terminal.env)) === undefined) {
    return false;
  }
  try {
    await session.ask({ method: 'GET', path: ['node'] });
    return true;
  } catch (error) {
    if (isGiven || !isUnreachable(error)) throw error;
    return false;
  }
}

function liveCaretaker(session: Session): Caretaker {
  const agent = (address: string, what: string) => ['agents', address, what];
  return {
    isLive: true,
    async survey(address) {
      const path = agent(address, 'damage');
      return fromWire(await session.ask({ method: 'GET', path })) as LogSurvey;
    },
    readable: address => session.lines({ method: 'GET', path: agent(address, 'readable') }),
    async repair(address) {
      const body = { consent: true };
      const path = agent(address, 'repair');
      return fromWire(await session.ask({ method: 'POST', path, body })) as LogSurvey;
    },
    async backUp(directory) {
      const body = { directory: resolve(directory) };
      const answer = await session.ask({ method: 'POST', path: ['backup'], body });
      return fromWire(answer) as CopyReport | ClusterCopyReport;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function offlineCaretaker(data: OpenedData): Caretaker {
  return {
    isLive: false,
    survey: address => data.survey(address),
    async *readable(address) {
      const records = await data.exportReadable(address);
      for (const record of readableRecords(address, records)) yield toWire(record);
    },
    repair: address => data.repair(address),
    backUp: directory => data.backUp(resolve(directory)),
    [Symbol.asyncDispose]: () => data.close(),
  };
}
