/**
 * Compare-and-append under contention through three servers: what fences the owners of an agent.
 * The long form is `npm run contenders`.
 */
import { expect, it } from 'vitest';
import { contend } from './nats-contenders.ts';

it('never accepts two of six writers behind one place', { timeout: 120_000 }, async () => {
  const contest = await contend({ release: 'newest', rounds: 300 });

  expect(contest).toMatchObject({
    rounds: 300,
    doubleRounds: 0,
    emptyRounds: 0,
    wrongRounds: 0,
    answers: { accepted: 300, conflict: 1_500 },
  });
});

it('finds that 2.9.10 with three replicas accepts two', { timeout: 120_000 }, async () => {
  const contest = await contend({ release: '2.9.10', rounds: 300, isEndedByFault: true });

  expect(contest.doubleRounds).toBe(1);
});
