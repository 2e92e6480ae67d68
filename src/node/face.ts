/**
 * What a node shows to its faces: to the admin API, which lies to the left of it and is therefore
 * handed in as a function. A face is opened when the data are open and before the node serves, so
 * that a port that is taken stops the start; it is closed when the node has come to rest.
 */
import type { AgentDirectory } from '../client/agents.ts';
import type { DeadLetters, Runs } from '../client/troupe.ts';
import type { TroupeError } from '../core/errors.ts';
import type { ClusterInspection } from './cluster-inspection.ts';
import type { Storage } from './data-directory.ts';
import type { ClusterCopyReport } from './log-census.ts';
import type { TroupeNode } from './node.ts';

/** How a node stands: only a ready one takes work. `suspended` has no lease, for now. */
export type Standing = 'starting' | 'ready' | 'suspended' | 'draining' | 'failed';

/** What a node is told about its cluster, for operators. */
export interface ClusterStanding {
  readonly name: string;
  readonly node: string;
  readonly epoch: number;
  readonly replicas: number;
  /** Whether what the servers acknowledge is on their disks. */
  readonly flushing: 'flushed' | 'unflushed' | 'unsaid';
  /** The server that the node is connected to, or was last. */
  readonly server: { readonly name: string; readonly version: string };
}

/** A node as its faces see it. */
export interface NodeFace {
  readonly node: TroupeNode;
  readonly agents: AgentDirectory;
  readonly runs: Runs;
  readonly deadLetters: DeadLetters;
  /** The data directory, with what only its engine can do; nothing when all is in memory. */
  readonly data: { readonly directory: string; readonly storage: Storage } | undefined;
  /** Where the node leaves what others on this machine look for, if it has such a place. */
  readonly directory: string | undefined;
  /** How the node stands in its cluster, if it has one. */
  cluster(): ClusterStanding | undefined;
  /** Looks at its cluster as an operator does, over a connection of its own. */
  readonly inspectCluster?: (() => Promise<ClusterInspection>) | undefined;
  /** Copies its cluster to an empty directory; only where it has one. */
  readonly backUpCluster?: ((directory: string) => Promise<ClusterCopyReport>) | undefined;
  /** How the node stands, and what made its engine fail, if it did. */
  standing(): { readonly standing: Standing; readonly failure: TroupeError | undefined };
}

/** A face that is open. */
export interface OpenFace {
  close(): Promise<void>;
}

/** Opens a face of a node. */
export type FaceOpener = (face: NodeFace) => Promise<OpenFace>;
