/** Which server leads how many streams, as the servers' monitoring says. */
import type { NatsServer } from '../helpers/nats-servers.ts';

interface StreamReport {
  readonly name: string;
  readonly cluster?: { readonly leader?: string };
}

/** What the monitoring says about streams, as far as it is read. */
export interface StreamsReport {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamReport[] }[];
}

const answerTimeoutMs = 5_000;

/** How many streams each server leads, by its name. */
export async function leadsOf(
  servers: readonly Pick<NatsServer, 'monitorUrl'>[],
): Promise<Readonly<Record<string, number>>> {
  for (const { monitorUrl } of servers) {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    try {
      const answer = await fetch(`${monitorUrl}/jsz?accounts=true&streams=true`, { signal });
      // The monitoring's own form.
      return countLeads((await answer.json()) as StreamsReport);
    } catch {
      // That one is down; the next one knows as much.
    }
  }
  throw new Error('no server tells who leads');
}

/** The same from what the monitoring answered. */
export function countLeads({
  account_details: accounts = [],
}: StreamsReport): Record<string, number> {
  const leads: Record<string, number> = {};
  for (const { cluster } of accounts.flatMap(({ stream_detail: streams = [] }) => streams)) {
    if (cluster?.leader === undefined || cluster.leader === '') continue;
    leads[cluster.leader] = (leads[cluster.leader] ?? 0) + 1;
  }
  return leads;
}
