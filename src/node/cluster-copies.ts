/**
 * Backups and restores of clusters for an operator, on this machine's clock and disk. Loaded only
 * when a cluster is named.
 */
import type { ClusterOptions } from '../client/cluster-options.ts';
import { systemClock } from '../engines/system/clock.ts';
import { systemRandom } from '../engines/system/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import { backUpCluster } from './cluster-backup.ts';
import { checkedCluster } from './cluster-options.ts';
import { restoreCluster } from './cluster-restore.ts';
import type { ClusterCopyReport } from './log-census.ts';

export type { ClusterCopyReport } from './log-census.ts';

/** Which cluster, and which directory. */
export interface ClusterCopy {
  readonly cluster: ClusterOptions;
  /** The directory of the backup. */
  readonly directory: string;
  /** The highest epoch known to have been used, when it is higher than the backup's. */
  readonly epochAtLeast?: number | undefined;
  /** Hears what went wrong although nobody waits for it. */
  readonly logger: Logger;
  /** How long a lease stands still before another may take it: short in tests. */
  readonly leaseSpanMs?: number | undefined;
}

/** Copies a cluster that no node serves to an empty directory; throws as `backUpCluster` does. */
export function copyFromCluster(copy: ClusterCopy): Promise<ClusterCopyReport> {
  return backUpCluster(completed(copy));
}

/** Fills an empty cluster from a backup; throws as `restoreCluster` does. */
export function copyIntoCluster(copy: ClusterCopy): Promise<ClusterCopyReport> {
  return restoreCluster(completed(copy));
}

function completed(copy: ClusterCopy) {
  const cluster = checkedCluster(copy.cluster);
  return { ...copy, cluster, clock: systemClock(), random: systemRandom() };
}
