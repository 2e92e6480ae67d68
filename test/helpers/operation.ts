/** Makes an operation of a history, as short as a test wants to write it. */
import type { Operation, Stamp } from '../../src/testing/history.ts';

/** The parts that matter in a test; the rest is filled in. */
export interface OperationParts extends Partial<Operation> {
  /** When it began and ended, in the order of the recorder; it never ended without a second one. */
  readonly at: readonly [number, number?];
  readonly version?: number;
  readonly epoch?: number;
}

let made = 0;

/** Makes an operation: an answered write of one agent, unless the parts say otherwise. */
export function operation({ at, version, epoch, ...parts }: OperationParts): Operation {
  const id = parts.id ?? made++;
  const [startOrder, endOrder] = at;
  const stamp: Stamp | undefined =
    version === undefined ? undefined : { epoch: epoch ?? 1, version };
  return {
    id,
    client: 'client',
    agent: 'agent/a',
    kind: 'write',
    action: 'add',
    input: 1,
    command: `command-${id}`,
    startOrder,
    startMs: startOrder,
    status: endOrder === undefined ? 'pending' : 'ok',
    endOrder: endOrder ?? Number.POSITIVE_INFINITY,
    endMs: endOrder ?? Number.POSITIVE_INFINITY,
    ...(stamp === undefined ? {} : { stamp }),
    ...parts,
  };
}
