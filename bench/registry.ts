/**
 * Every figure and every baseline: what it is, where it is taken, what it is held against. A bar is
 * what a release must reach, an aim what we work towards.
 */

/** A number that can be measured. */
export interface Measured {
  readonly id: string;
  readonly what: string;
  readonly unit: '/s' | 'ns' | 'µs' | 'ms' | 's' | 'B' | 'MB';
  /** The bench file whose process yields it. */
  readonly file: string;
  /** The name of the probe in that file; figures of one probe share its runs. */
  readonly probe: string;
  /** How many NATS servers its process needs. */
  readonly servers?: 1 | 3;
}

/** What a figure is compared with. */
export interface Comparison {
  readonly baseline: string;
  /** The ratio figure / baseline that must be reached, when the ratio is what counts. */
  readonly bar?: number;
  /** The ratio that we work towards. */
  readonly aim?: number;
}

/** A number about Troupe itself. */
export interface Figure extends Measured {
  readonly isHigherBetter: boolean;
  /** The first one that can be measured here counts. */
  readonly comparisons: readonly Comparison[];
  /** The value that must be reached, when it is not a ratio. */
  readonly bar?: number;
  /** The value that we work towards. */
  readonly aim?: number;
  /** Takes minutes: left out by `--quick` unless named. */
  readonly isSlow?: boolean;
}

/** A number about the machine, or about something else that does a comparable job. */
export interface Baseline extends Measured {
  readonly needsErlang?: boolean;
}

const mailbox = 'baseline-mailbox.ts';
const erlang = 'baseline-erlang.ts';
const fdatasync = 'baseline-fdatasync.ts';
const appendFile = 'baseline-append-file.ts';
const jetStream = 'baseline-jetstream.ts';
const durableNats = 'durable-nats.ts';
const activateNats = 'activate-nats.ts';
const millionNats = 'agents-1m-nats.ts';

/** What a turn on NATS is held against: the NATS client alone, on the same servers. */
const bareAppend = 'JetStream publish of 220 B that expects the last sequence of its subject';

/** All baselines. */
export const baselines: readonly Baseline[] = [
  bare(mailbox, 'mailbox-1', '/s', 'bare mailbox, 1 caller'),
  bare(mailbox, 'mailbox-64', '/s', 'bare mailbox, 64 callers'),
  bare(mailbox, 'mailbox-start', '/s', 'bare mailboxes created and asked once, 64 at a time'),
  bare(mailbox, 'mailbox-bytes', 'B', 'RSS of a bare mailbox after one message'),
  bare(fdatasync, 'fdatasync', 'µs', 'append of 300 B and fdatasync, p50'),
  bare(fdatasync, 'fdatasync-preallocated', 'µs', 'the same in a preallocated file, p50'),
  bare(appendFile, 'append-file', '/s', 'group commit of 300 B, 256 in flight, fs alone'),
  bare(appendFile, 'append-file-4k', '/s', 'the same with 4 KB'),
  bare('open-1m.ts', 'read-files', 'ms', 'reading the data directory of open-1m once through fs'),
  onServers(1, bare(jetStream, 'append-r1-1', 'µs', `${bareAppend}, one in flight, p50`)),
  onServers(3, bare(jetStream, 'append-r3-1', 'µs', `${bareAppend}, one in flight, p50`)),
  onServers(
    3,
    bare(jetStream, 'append-r3-256', '/s', `${bareAppend}, 256 subjects, 256 in flight`),
  ),
  {
    ...bare(millionNats, 'agents-1m-fill', 's', 'filling the streams of agents-1m-r1, once'),
    probe: 'agents-1m-r1',
  },
  {
    ...bare(millionNats, 'agents-1m-called', 'MB', 'RSS of it after 1,000 of them were called'),
    probe: 'agents-1m-r1',
  },
  {
    ...bare(millionNats, 'agents-1m-restart', 'ms', 'start of the server of agents-1m-r1'),
    probe: 'agents-1m-r1',
  },
  { ...bare(erlang, 'erlang-call-1', '/s', 'gen_server:call, 1 caller'), needsErlang: true },
  { ...bare(erlang, 'erlang-call-64', '/s', 'gen_server:call, 64 callers'), needsErlang: true },
  { ...bare(erlang, 'erlang-start', '/s', 'gen_server:start and one call'), needsErlang: true },
  { ...bare(erlang, 'erlang-bytes', 'B', 'memory of an idle gen_server'), needsErlang: true },
];

/** All figures, in the order of the table. */
export const figures: readonly Figure[] = [
  ...[1, 64].map(callers => ({
    ...bare(
      'local-execute.ts',
      `local-execute-${callers}`,
      '/s',
      `level none, ${callers} in flight`,
    ),
    isHigherBetter: true,
    comparisons: [
      { baseline: `erlang-call-${callers}`, bar: 0.5, aim: 1 },
      // Without Erlang the bar is stated against the bare mailbox; the aim keeps the proportion.
      { baseline: `mailbox-${callers}`, bar: 0.15, aim: 0.3 },
    ],
  })),
  {
    ...bare('durable.ts', 'durable-1', 'µs', 'durable turn, one in flight, p50'),
    isHigherBetter: false,
    comparisons: [{ baseline: 'fdatasync', bar: 2, aim: 1.3 }],
  },
  {
    ...bare('durable.ts', 'durable-256', '/s', 'durable turns, 256 agents'),
    ...perSecond('append-file', 100_000, 150_000),
  },
  {
    ...bare('durable.ts', 'durable-256-4k', '/s', '4 KB of state of which 1 % changes'),
    ...perSecond('append-file-4k', 50_000, 100_000),
  },
  {
    ...bare('durable.ts', 'durable-hot', '/s', 'one agent, 256 callers'),
    ...perSecond('append-file', 80_000, 150_000),
  },
  {
    ...bare('activate.ts', 'activate-none', '/s', 'first calls to agents without state on disk'),
    isHigherBetter: true,
    comparisons: [{ baseline: 'erlang-start' }, { baseline: 'mailbox-start' }],
    bar: 100_000,
    aim: 200_000,
  },
  {
    ...bare('activate.ts', 'activate-state', '/s', 'first reads of agents with state on disk'),
    isHigherBetter: true,
    comparisons: [{ baseline: 'erlang-start' }, { baseline: 'mailbox-start' }],
    bar: 50_000,
    aim: 80_000,
  },
  {
    ...bare(
      'idle-bytes.ts',
      'idle-bytes',
      'B',
      'RSS of an idle agent with one deduplication entry',
    ),
    isHigherBetter: false,
    comparisons: [{ baseline: 'erlang-bytes' }, { baseline: 'mailbox-bytes' }],
    bar: 1_536,
    aim: 1_024,
  },
  {
    ...bare('open-1m.ts', 'open-1m', 'ms', 'process start to the answer of an old agent'),
    isHigherBetter: false,
    comparisons: [{ baseline: 'read-files' }],
    bar: 5_000,
    aim: 1_000,
    isSlow: true,
  },
  {
    ...bare('open-1m.ts', 'open-1m-rss', 'MB', 'RSS then'),
    probe: 'open-1m',
    isHigherBetter: false,
    comparisons: [],
    bar: 400,
    aim: 150,
    isSlow: true,
  },
  ...([1, 3] as const).map(servers => ({
    ...bare(durableNats, `durable-r${servers}-1`, 'µs', 'durable turn, one in flight, p50'),
    servers,
    isHigherBetter: false,
    comparisons: [{ baseline: `append-r${servers}-1`, bar: 1.3, aim: 1.1 }],
  })),
  {
    ...bare(durableNats, 'durable-r3-256', '/s', 'durable turns, 256 agents of 8 callers each'),
    servers: 3,
    isHigherBetter: true,
    comparisons: [{ baseline: 'append-r3-256', bar: 0.8, aim: 2 }],
  },
  {
    ...bare(durableNats, 'durable-r3-hot', '/s', 'one agent, 256 callers'),
    servers: 3,
    isHigherBetter: true,
    comparisons: [{ baseline: 'append-r3-256', bar: 3, aim: 8 }],
  },
  {
    ...bare(
      activateNats,
      'activate-r3',
      '/s',
      'first reads of agents of a snapshot and 20 records',
    ),
    servers: 3,
    ...perSecond('append-r3-256', 1_000, 3_000),
  },
  {
    ...bare(activateNats, 'activate-r3-p50', 'ms', 'one of them, four in flight, p50'),
    probe: 'activate-r3',
    servers: 3,
    isHigherBetter: false,
    comparisons: [],
    bar: 5,
  },
  {
    ...bare(millionNats, 'agents-1m-r1', 'MB', 'RSS of a server with 1,000,000 agents'),
    isHigherBetter: false,
    comparisons: [],
    bar: 400,
    aim: 300,
    isSlow: true,
  },
  {
    ...bare(millionNats, 'agents-1m-r1-start', 'ms', 'process start to the answer of one of them'),
    probe: 'agents-1m-r1',
    isHigherBetter: false,
    comparisons: [{ baseline: 'agents-1m-restart' }],
    bar: 5_000,
    aim: 1_000,
    isSlow: true,
  },
  {
    ...bare('telemetry.ts', 'record-histogram', 'ns', 'one value recorded in a histogram'),
    probe: 'telemetry',
    isHigherBetter: false,
    comparisons: [],
    bar: 20,
    aim: 10,
  },
];

function bare(file: string, id: string, unit: Measured['unit'], what: string): Measured {
  return { file, id, probe: id, unit, what };
}

function onServers(servers: 1 | 3, baseline: Measured): Baseline {
  return { ...baseline, servers };
}

function perSecond(baseline: string, bar: number, aim: number) {
  return { isHigherBetter: true, comparisons: [{ baseline }], bar, aim } as const;
}
