/**
 * The backup of a cluster by the node that serves it, while it works. Durable work waits for the
 * moment that is copied, some milliseconds; agents go on while it is copied.
 */
import { TroupeError } from '../core/errors.ts';
import { type ClusterCopyOptions, copiesOf, refuseBlobs, writeFrom } from './cluster-backup.ts';
import type { CopyableLog } from './copyable-log.ts';
import type { ClusterCopyReport } from './log-census.ts';
import type { OpenedCluster } from './open-cluster.ts';

/** Who makes the backup, and where. */
export interface LiveBackupOptions extends Omit<ClusterCopyOptions, 'leaseSpanMs'> {
  readonly opened: Pick<OpenedCluster, 'document' | 'epoch' | 'lease'>;
  readonly log: CopyableLog;
}

/** Durable work waits no longer than this for servers that cannot say where they are. */
const heldMsMax = 3_000;

/**
 * Copies the cluster to an empty directory.
 *
 * @throws `OVERLOADED` while another backup is made; `NO_QUORUM` when the node is suspended; and
 * as `backUpCluster` does.
 */
export async function backUpLive(options: LiveBackupOptions): Promise<ClusterCopyReport> {
  const { opened, log, cluster, clock } = options;
  const { document, epoch, lease } = opened;
  await using copies = await copiesOf(options);
  await refuseBlobs(copies, cluster.name);
  const startedMs = clock.monotonic();
  let heldMs = 0;
  return await log.copied({
    async note() {
      const source = await copies.open(document, heldMsMax);
      // Who has the lease now has had it all the time, so nobody else has written meanwhile.
      heldMs = clock.monotonic() - startedMs;
      if (lease.isHeld) return source;
      await source.close();
      throw new TroupeError('NO_QUORUM', {
        detail: 'this node does not hold its lease at the moment; ask again when it does',
        outcome: 'not-executed',
      });
    },
    async copy(moment) {
      await using source = moment;
      return { ...(await writeFrom(source, { ...options, ...document, epoch })), heldMs };
    },
  });
}
