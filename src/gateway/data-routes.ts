/** The node and its data over the admin API: how it stands, backups, damaged logs. */
import { isAbsolute } from 'node:path';
import type { Hono } from 'hono';
import { TroupeError } from '../core/errors.ts';
import type { NodeFace } from '../node/face.ts';
import { answer } from './answers.ts';
import { streamLines } from './lines.ts';
import { packageVersion } from './package-version.ts';
import { readableRecords } from './readable-records.ts';
import { bodyOf, flagField, requiredText } from './request-fields.ts';

/** Adds the routes of the node and its data. */
export function addDataRoutes(app: Hono, face: NodeFace): void {
  app.get('/v1/node', context => answer(context, infoOf(face)));
  app.get('/v1/cluster', async context => {
    const { inspectCluster } = face;
    if (inspectCluster !== undefined) return answer(context, await inspectCluster());
    throw new TroupeError('CONFIG_INVALID', { detail: 'this node is not in a cluster' });
  });
  app.post('/v1/backup', async context => {
    const fields = await bodyOf(context, ['directory']);
    const directory = requiredText(fields, 'directory');
    if (!isAbsolute(directory)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `directory is ${JSON.stringify(directory)}; it must be an absolute path on the machine of the node`,
      });
    }
    const { backUpCluster } = face;
    return answer(
      context,
      await (backUpCluster ? backUpCluster(directory) : storageOf(face).backUp(directory)),
    );
  });
  app.get('/v1/agents/:address/damage', async context => {
    const { address } = face.agents.get(context.req.param('address'));
    return answer(context, await storageOf(face).survey(address));
  });
  app.get('/v1/agents/:address/readable', async context => {
    const { address } = face.agents.get(context.req.param('address'));
    const records = await storageOf(face).exportReadable(address);
    return streamLines(context, () => readableRecords(address, records));
  });
  app.post('/v1/agents/:address/repair', async context => {
    const fields = await bodyOf(context, ['consent']);
    const { address } = face.agents.get(context.req.param('address'));
    if (!flagField(fields, 'consent')) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `a repair of ${address} gives up records; send { "consent": true } after looking at its damage`,
      });
    }
    return answer(context, await storageOf(face).repair(address));
  });
}

function infoOf(face: NodeFace): object {
  const { node, data } = face;
  const { standing, failure } = face.standing();
  const { kernel, incarnation, residents } = node;
  return {
    version: packageVersion(),
    runtime: process.version,
    pid: process.pid,
    incarnation,
    standing,
    failure: failure?.toValue(),
    types: [...kernel.router.types()].map(({ contract }) => contract.type),
    residentCount: residents.count,
    data: data && {
      directory: data.directory,
      epoch: data.storage.epoch,
      lineage: data.storage.lineage,
      recovery: data.storage.recovery,
    },
    cluster: face.cluster(),
  };
}

function storageOf({ data, cluster }: NodeFace): NonNullable<NodeFace['data']>['storage'] {
  if (data !== undefined) return data.storage;
  if (cluster() !== undefined) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: 'this node keeps its data in a cluster, not in a directory of its own',
    });
  }
  throw new TroupeError('CONFIG_INVALID', {
    detail: 'this node keeps everything in memory; give createTroupe a `data` directory',
  });
}
