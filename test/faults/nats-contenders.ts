/**
 * Writers that contend for the end of one agent's log, round after round, through different servers
 * of a cluster: in each round all append behind the same place, and one may be told that it did.
 */
import { connectNats, type OpenConnection } from '../../src/engines/nats/connection.ts';
import { openNatsLog } from '../../src/engines/nats/log.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { AppendResult, Log } from '../../src/ports/log.ts';
import { type NatsServersOptions, natsServers } from '../helpers/nats-servers.ts';

/** How writers contend. */
export interface ContestOptions {
  readonly release: NonNullable<NatsServersOptions['release']>;
  readonly rounds: number;
  /** Two for each of the three servers (default 6). */
  readonly writers?: number | undefined;
  /** Ends with the first round that has two winners (default false). */
  readonly isEndedByFault?: boolean | undefined;
}

/** What came of it. */
export interface Contest {
  readonly version: string;
  readonly rounds: number;
  /** Rounds in which more than one writer was told that its append was accepted. */
  readonly doubleRounds: number;
  /** Rounds in which nobody was. */
  readonly emptyRounds: number;
  /** Rounds whose winner's record is not what a reader finds behind the place. */
  readonly wrongRounds: number;
  /** How often each answer was given. */
  readonly answers: Readonly<Record<string, number>>;
}

const clock = systemClock();
const agent = 'contest/one';

/** Lets writers contend on three servers of a release. */
export async function contend(options: ContestOptions): Promise<Contest> {
  const { release, rounds, writers = 6, isEndedByFault = false } = options;
  await using servers = await natsServers({ release, count: 3 });
  await using stack = new AsyncDisposableStack();
  const logs: Log[] = [];
  for (let index = 0; index < writers; index += 1) {
    const url = servers.urls[index % servers.urls.length] ?? '';
    const client = stack.use(await connectNats({ servers: [url] }, { clock }));
    logs.push(await openLog(client));
  }
  const tally = { rounds: 0, doubleRounds: 0, emptyRounds: 0, wrongRounds: 0 };
  const answers: Record<string, number> = {};
  let tail = 0;
  while (tally.rounds < rounds && !(isEndedByFault && tally.doubleRounds > 0)) {
    const round = await contendOnce(logs, tally.rounds, tail);
    count(tally, answers, round);
    tail = round.tail;
  }
  return { version: servers.version, ...tally, answers };
}

interface Round {
  readonly results: readonly AppendResult[];
  /** Who was told that its append was accepted. */
  readonly winners: readonly number[];
  /** Whose record a reader finds. */
  readonly found: number | undefined;
  readonly tail: number;
}

type Tally = Record<'rounds' | 'doubleRounds' | 'emptyRounds' | 'wrongRounds', number>;

function count(tally: Tally, answers: Record<string, number>, round: Round): void {
  const { results, winners, found } = round;
  for (const { status } of results) answers[status] = (answers[status] ?? 0) + 1;
  tally.rounds += 1;
  if (winners.length > 1) tally.doubleRounds += 1;
  if (winners.length === 0) tally.emptyRounds += 1;
  if (winners.length === 1 && winners[0] !== found) tally.wrongRounds += 1;
}

function openLog(client: OpenConnection): Promise<Log> {
  return openNatsLog({
    client,
    clock,
    random: systemRandom(),
    cluster: 'contest',
    replicas: 3,
    streamCount: 1,
    isUnsoundAllowed: true,
  });
}

async function contendOnce(logs: readonly Log[], round: number, tail: number): Promise<Round> {
  const results: AppendResult[] = await Promise.all(
    logs.map((log, index) =>
      log.append(agent, tail, [{ bytes: Buffer.from(`${round}/${index}`) }]),
    ),
  );
  const winners = results.flatMap((result, index) => (result.status === 'accepted' ? [index] : []));
  // All of them look, because a loser has to know what it lost to before it contends again.
  const slices = await Promise.all(logs.map(log => log.read(agent, { after: tail })));
  const newest = slices.reduce((left, right) => (right.tail > left.tail ? right : left));
  const [first] = newest.records;
  const found =
    first === undefined ? undefined : Number(`${Buffer.from(first.bytes)}`.split('/')[1]);
  return { results, winners, found, tail: newest.tail };
}
