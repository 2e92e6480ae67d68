/** Worlds with the simplest of programs, for tests of worlds themselves. */
import { TroupeError } from '../../src/core/errors.ts';
import type { SimPorts, SimProgram } from '../../src/testing/sim-process.ts';
import { SimWorld, type SimWorldOptions } from '../../src/testing/sim-world.ts';

/** A program that says what it hears, a little later. */
export interface Echo extends SimProgram {
  echo(value: string): Promise<string>;
  readonly ports: SimPorts;
}

/** Starts one. */
export const echo = async (ports: SimPorts): Promise<Echo> => ({
  ports,
  echo: async value => {
    await new Promise<void>(resolve => void ports.clock.setTimer(10, resolve));
    return `${value} from ${ports.name}#${ports.incarnation}`;
  },
  stop: async () => undefined,
});

/** Runs a test in a world of its own. */
export async function inWorld(
  run: (world: SimWorld) => Promise<void>,
  options: Partial<SimWorldOptions> = {},
): Promise<void> {
  const world = new SimWorld({ seed: 1, ...options });
  try {
    await run(world);
  } finally {
    world.close();
  }
}

/** How a promise stands after some virtual time. */
export async function outcome(
  world: SimWorld,
  promise: Promise<unknown>,
  withinMs = 100,
): Promise<unknown> {
  let seen: unknown = 'open';
  promise.then(
    value => {
      seen = value;
    },
    (error: unknown) => {
      seen = TroupeError.is(error) ? `${error.code} ${error.outcome}` : error;
    },
  );
  await world.run({ untilMs: world.nowMs + withinMs });
  return seen;
}
