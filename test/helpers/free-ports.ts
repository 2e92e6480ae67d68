/** Ports that nothing listens on, outside the range that outgoing connections take theirs from. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Programs that are told one port take others some thousands above it. */
const [lowest, highest] = [12_000, 20_000];

/** So many ports of this machine. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
