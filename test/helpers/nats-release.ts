/** Which NATS servers tests run against; one that is missing is fetched. */
import {
  ensureServer,
  ensureSuiteServer,
  type FoundServer,
} from '../../src/engines/nats/find-server.ts';

/** The newest, or the 2.9.10 of Debian 12. */
export type NatsRelease = 'newest' | '2.9.10';

/** The program of a release. */
export function natsRelease(release: NatsRelease): Promise<FoundServer> {
  // What tests expect of the newest came with 2.12; an older one of PATH is passed over.
  return release === 'newest'
    ? ensureServer({ versionMin: '2.12.0' })
    : ensureSuiteServer('bookworm');
}

/** The programs of all releases. */
export async function testServers(): Promise<readonly FoundServer[]> {
  return [await natsRelease('newest'), await natsRelease('2.9.10')];
}
