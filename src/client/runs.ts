/** Runs as callers see them: of one agent, and of all. */
import type { AdministrativeInputs } from '../agent/administration.ts';
import type { AdministrativeReadInputs } from '../agent/administration-reads.ts';
import type {
  Resolution,
  ResolveOptions,
  RunInfo,
  RunStatus,
  RunsOfAgent,
} from '../agent/run-types.ts';
import { TroupeError } from '../core/errors.ts';
import { noticedAt } from '../state/image.ts';
import type { KernelSource } from './kernel.ts';
import { collectPages, pageOf } from './pages.ts';
import type { Page, RunListOptions, Runs } from './troupe.ts';

/** What of a reference these lists need: a way to ask and tell its agent. */
export interface Administered {
  administer<K extends keyof (AdministrativeInputs & AdministrativeReadInputs)>(
    action: K,
    input: (AdministrativeInputs & AdministrativeReadInputs)[K],
  ): Promise<unknown>;
}

/** The runs of one agent. */
export function runsOf(reference: Administered): RunsOfAgent {
  return {
    async list({ status }: { readonly status?: RunStatus | undefined } = {}) {
      const runs = (await reference.administer('$runs', undefined)) as RunInfo[];
      return status === undefined ? runs : runs.filter(run => run.status === status);
    },
    async get(id) {
      return (await reference.administer('$run', { id })) as RunInfo | undefined;
    },
    async cancel(id, reason = 'cancelled by a caller') {
      await reference.administer('$cancel', { runId: id, reason });
    },
    async resolve(id: string, step: string, resolution: Resolution, options: ResolveOptions = {}) {
      await reference.administer('$resolve', { runId: id, step, key: options.key, resolution });
    },
  };
}

/** The runs of all agents of a node; `at` gives the reference of an address. */
export function allRuns(kernel: KernelSource, at: (address: string) => Administered): Runs {
  const owner = (id: string) => runsOf(at(addressOfId(id)));
  return {
    async list(options: RunListOptions = {}): Promise<Page<RunInfo>> {
      const { type, status } = options;
      const page = {
        ...pageOf(options),
        prefix: type === undefined ? undefined : `${type}/`,
        dueAt: noticedAt,
      };
      return collectPages(kernel(), page, async address => runsOf(at(address)).list({ status }));
    },
    get: id => owner(id).get(id),
    cancel: (id, reason) => owner(id).cancel(id, reason),
    resolve: (id, step, resolution, options) => owner(id).resolve(id, step, resolution, options),
  };
}

/**
 * The agent that a run or dead letter belongs to: its id begins with the address.
 *
 * @throws `INVALID_INPUT` when it does not.
 */
export function addressOfId(id: string): string {
  const hash = id.lastIndexOf('#');
  if (hash > 0) return id.slice(0, hash);
  throw new TroupeError('INVALID_INPUT', {
    detail: `${JSON.stringify(id)} is not an id of this kind; it begins with the agent's address and a #`,
  });
}
