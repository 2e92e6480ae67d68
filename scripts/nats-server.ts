/**
 * Makes sure that the NATS servers are there that tests run against, and says which. With
 * `--refresh` it fetches Debian's newest again.
 */
import { parseArgs } from 'node:util';
import { TroupeError } from '../src/core/errors.ts';
import { fetchServer } from '../src/engines/nats/fetch-server.ts';
import { serverCacheDirectory } from '../src/engines/nats/find-server.ts';
import { testServers } from '../test/helpers/nats-release.ts';

const { values } = parseArgs({ options: { refresh: { type: 'boolean', default: false } } });

try {
  if (values.refresh) {
    await fetchServer({ suite: 'sid', cacheDirectory: serverCacheDirectory() });
  }
  for (const { path, version, from } of await testServers()) {
    console.log(`nats-server ${version} (${from}): ${path}`);
  }
} catch (error) {
  if (!TroupeError.is(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
