/**
 * `createTroupe` as programs call it: the node of `node/`, with the admin API as its face when the
 * options ask for one. The API and what it stands on are loaded only then.
 */
import type { AgentDefinition, ContractsIn, Troupe, TroupeOptions } from '../client/troupe.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { composeTroupe } from '../node/create-troupe.ts';

/**
 * Makes a node. Nothing is opened before `start()`.
 *
 * @throws `CONFIG_INVALID` when an option is unknown or unacceptable.
 * @example
 * ```ts
 * import { createTroupe, defineAgent, implement, turn } from 'troupe';
 * import { z } from 'zod';
 *
 * const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: { add: turn({ input: z.number(), output: z.number() }) },
 * });
 * const counterAgent = implement(counter, { add: (ctx, by) => (ctx.state.count += by) });
 *
 * await using troupe = createTroupe({ agents: [counterAgent] });
 * await troupe.start();
 * console.log(await troupe.agents.get('counter/visits').execute('add', 1));
 * ```
 */
export function createTroupe<const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
): Troupe<ContractsIn<R>> {
  const port = portOf(options?.admin);
  if (port === undefined) return composeTroupe(options);
  return composeTroupe(options, async face => {
    const { openAdmin } = await import('./open-admin.ts');
    return openAdmin({ face, port });
  });
}

/** The port that the options ask for: nothing for no API, 0 for a free one. */
function portOf(admin: unknown): number | undefined {
  if (admin === undefined || admin === false) return undefined;
  if (admin === true) return 0;
  if (typeof admin === 'object' && admin !== null && !Array.isArray(admin)) {
    const { port = 0, ...others } = admin as { readonly port?: unknown };
    if (isPort(port) && Object.keys(others).length === 0) return port;
  }
  throw new TroupeError('CONFIG_INVALID', {
    detail: `createTroupe: admin is ${previewOf(admin)}; write true, false, or { port } with a port from 0 to 65535`,
  });
}

function isPort(port: unknown): port is number {
  return Number.isSafeInteger(port) && Number(port) >= 0 && Number(port) <= 65_535;
}
