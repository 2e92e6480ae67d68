/** How a server of this machine is, as its monitoring port tells. */

/** What it tells. */
export interface ServerStatus {
  readonly version: string;
  readonly upSince: string;
  readonly memoryBytes: number;
  readonly connectionCount: number;
  readonly streamCount: number;
  readonly messageCount: number;
  readonly storedBytes: number;
  /** The server that leads the cluster's own records, when there is a cluster and a leader. */
  readonly leader?: string | undefined;
  /** Nothing when it is well, else what is wrong. */
  readonly complaint?: string | undefined;
}

const answerTimeoutMs = 3_000;

/** Asks a server how it is; nothing when it does not answer. */
export async function serverStatus(monitorPort: number): Promise<ServerStatus | undefined> {
  const ask = (path: string) => answerOf(`http://127.0.0.1:${monitorPort}/${path}`);
  const answers = await Promise.all([ask('varz'), ask('jsz'), ask('healthz')]);
  const [general, streams, health] = answers;
  if (general === undefined || streams === undefined || health === undefined) return undefined;
  const number = (from: Answer, name: string) => Number(from[name] ?? 0);
  const cluster = streams.meta_cluster as { readonly leader?: string } | undefined;
  return {
    version: String(general.version),
    upSince: String(general.start),
    memoryBytes: number(general, 'mem'),
    connectionCount: number(general, 'connections'),
    streamCount: number(streams, 'streams'),
    messageCount: number(streams, 'messages'),
    storedBytes: number(streams, 'bytes'),
    leader: cluster?.leader,
    complaint: health.status === 'ok' ? undefined : String(health.error ?? health.status),
  };
}

/** An object in JSON, of which each field is looked at before it is used. */
type Answer = Readonly<Record<string, unknown>>;

async function answerOf(url: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    return (await answer.json()) as Answer;
  } catch {
    // It is frozen, or just gone: there is no answer, which is an answer.
    return undefined;
  }
}
