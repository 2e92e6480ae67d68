/**
 * Lets writers contend for the end of one log through three NATS servers and prints what came of
 * it. Usage: `npm run contenders -- [--rounds N] [--writers N] [--release newest|2.9.10]`. The exit
 * code is 1 when two were accepted in one round, or nobody was.
 */
import { parseArgs } from 'node:util';
import { contend } from '../test/faults/nats-contenders.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3000' },
    writers: { type: 'string', default: '6' },
    release: { type: 'string', default: 'newest' },
  },
});
const release = values.release === '2.9.10' ? '2.9.10' : 'newest';
const { version, rounds, ...contest } = await contend({
  release,
  rounds: Number(values.rounds),
  writers: Number(values.writers),
});
console.log(`NATS ${version}, three replicas, ${values.writers} writers, ${rounds} rounds`);
console.log(`  two or more accepted: ${contest.doubleRounds}`);
console.log(`  nobody accepted:      ${contest.emptyRounds}`);
console.log(`  another one found:    ${contest.wrongRounds}`);
for (const [status, count] of Object.entries(contest.answers)) console.log(`  ${status}: ${count}`);
const isSound = contest.doubleRounds + contest.emptyRounds + contest.wrongRounds === 0;
process.exitCode = isSound ? 0 : 1;
