/**
 * Where a node's cluster is, as a program says it: servers of NATS JetStream, the name of the
 * cluster on them, and how this node is let in.
 */

/** What lets a node in at the servers. */
export type ClusterCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of an nkey of a user: `SU…`. */
  | { readonly nkeySeed: string }
  /** A file with such a seed, or with the JWT and the seed of a user (a `.creds` file). */
  | { readonly file: string };

/** How the connection is encrypted; texts or files in PEM. */
export interface ClusterTls {
  /** Who may vouch for the servers; by default those that Node trusts. */
  readonly caFile?: string | undefined;
  readonly ca?: string | undefined;
  /** The node's own certificate and key, where servers ask for them. */
  readonly certFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly key?: string | undefined;
}

/** The `cluster` of `createTroupe`, in full. */
export interface ClusterOptions {
  /**
   * One address, several with commas between them, or a list: `nats://host:4222`, and `tls://`
   * where encryption is required. A user and password may stand before the host.
   */
  readonly servers: string | readonly string[];
  /**
   * The name of the cluster: up to 32 letters, digits, `-` and `_` (default `troupe`). Clusters of
   * different names share servers and know nothing of each other.
   */
  readonly name?: string | undefined;
  /**
   * On how many servers everything is kept: 1, 3 or 5. By default as the cluster was made; a new
   * one gets 3 where the servers form a cluster, else 1.
   */
  readonly replicas?: number | undefined;
  readonly credentials?: ClusterCredentials | undefined;
  /** Required when given; `true` is enough where Node trusts the servers' certificate. */
  readonly tls?: boolean | ClusterTls | undefined;
  /**
   * Takes servers that acknowledge what is not on the disk, or that do not say whether it is: what
   * was acknowledged may then be lost when their power fails (default false).
   */
  readonly unflushed?: boolean | undefined;
  /**
   * What the subjects of answers begin with (default `_INBOX`). Where users have permissions, it is
   * the one that `troupe engine config` wrote for this node.
   */
  readonly inboxPrefix?: string | undefined;
}
