/**
 * Requests that go to a real NATS server and to the simulator's model of one: what both answer must
 * have the same form. Together they touch everything that the adapters use.
 */
import type { NatsHeaders } from '../../src/engines/nats/client.ts';

/** One request. */
export interface ModelStep {
  readonly subject: string;
  /** What it says: an object as JSON, a text as it is. */
  readonly body?: object | string | undefined;
  readonly headers?: NatsHeaders | undefined;
  /** Whether the answer may be several messages. */
  readonly isMany?: boolean | undefined;
}

const expectLast = (seq: number) => ({ 'Nats-Expected-Last-Subject-Sequence': `${seq}` });

const log = {
  name: 'LOG',
  subjects: ['log.>'],
  discard: 'new',
  allow_direct: true,
  allow_rollup_hdrs: true,
  max_msg_size: 500,
};

const keys = {
  name: 'KEYS',
  subjects: ['keys.>'],
  max_msgs_per_subject: 1,
  discard: 'new',
  deny_delete: true,
  allow_direct: false,
};

const streams: readonly ModelStep[] = [
  { subject: 'nobody.listens', body: 'x' },
  { subject: '$JS.API.INFO' },
  { subject: '$JS.API.STREAM.CREATE.LOG', body: log },
  { subject: '$JS.API.STREAM.CREATE.LOG', body: log },
  { subject: '$JS.API.STREAM.CREATE.LOG', body: { name: 'LOG', subjects: ['log.>'] } },
  { subject: '$JS.API.STREAM.CREATE.OTHER', body: { name: 'OTHER', subjects: ['log.x'] } },
  { subject: '$JS.API.STREAM.CREATE.OTHER', body: { name: 'LOG', subjects: ['other.x'] } },
  { subject: '$JS.API.STREAM.CREATE.OTHER', body: '{' },
  { subject: '$JS.API.STREAM.CREATE.THREE', body: { name: 'THREE', num_replicas: 3 } },
  { subject: '$JS.API.STREAM.CREATE.KEYS', body: keys },
  { subject: '$JS.API.STREAM.CREATE.PLAIN', body: { name: 'PLAIN', subjects: ['plain.*'] } },
];

const publishing: readonly ModelStep[] = [
  { subject: 'log.1.a', body: 'one', headers: expectLast(0) },
  { subject: 'log.1.a', body: 'two', headers: expectLast(0) },
  { subject: 'log.1.a', body: 'two', headers: expectLast(1) },
  { subject: 'log.1.b', body: 'b', headers: { ...expectLast(0), 'Nats-Expected-Stream': 'LOG' } },
  { subject: 'log.1.b', body: 'b', headers: { 'Nats-Expected-Stream': 'OTHER' } },
  { subject: 'log.1.b', body: 'b', headers: { 'Nats-Expected-Last-Sequence': '1' } },
  { subject: 'log.1.b', body: 'b', headers: { 'Nats-Expected-Last-Sequence': 'x' } },
  {
    subject: 'log.1.b',
    body: 'b',
    headers: { 'Nats-Expected-Last-Subject-Sequence': 'x' },
  },
  { subject: 'log.1.b', body: 'b'.repeat(600) },
  { subject: 'log.1.c', body: 'c', headers: { 'Nats-Msg-Id': 'first' } },
  { subject: 'log.1.c', body: 'c', headers: { 'Nats-Msg-Id': 'first' } },
  { subject: 'log.1.d', body: 'd', headers: { 'Nats-Msg-Id': 'other', ...expectLast(0) } },
  { subject: 'log.1.d', body: 'd', headers: { 'Nats-Msg-Id': 'other', ...expectLast(0) } },
  { subject: 'log.1.c', body: 'c', headers: { 'Nats-Expected-Last-Msg-Id': 'no' } },
  {
    subject: 'log.1.e',
    body: 'e',
    headers: { ...expectLast(2), 'Nats-Expected-Last-Subject-Sequence-Subject': 'log.1.a' },
  },
  { subject: 'log.1.a', body: 'all', headers: { 'Nats-Rollup': 'sub', ...expectLast(0) } },
  { subject: 'log.1.a', body: 'all', headers: { 'Nats-Rollup': 'sub', ...expectLast(2) } },
  { subject: 'plain.1', body: 'x', headers: { 'Nats-Rollup': 'sub' } },
  { subject: 'plain', body: 'x' },
];

const info = '$JS.API.STREAM.INFO.LOG';

const listing: readonly ModelStep[] = [
  { subject: info },
  { subject: info, body: { subjects_filter: 'log.1.>', deleted_details: true } },
  { subject: info, body: { subjects_filter: 'log.1.>', offset: 1 } },
  { subject: info, body: { subjects_filter: 'log.9.>' } },
  { subject: '$JS.API.STREAM.INFO.NONE' },
  { subject: '$JS.API.STREAM.NAMES' },
  { subject: '$JS.API.STREAM.NAMES', body: { subject: 'log.1.a' } },
  { subject: '$JS.API.STREAM.NAMES', body: { subject: 'none.>', offset: 0 } },
  { subject: '$JS.API.STREAM.LIST', body: { offset: 1 } },
];

const get = '$JS.API.STREAM.MSG.GET.LOG';
const direct = '$JS.API.DIRECT.GET.LOG';

const reading: readonly ModelStep[] = [
  { subject: get, body: { seq: 3 } },
  { subject: get, body: { last_by_subj: 'log.1.a' } },
  { subject: get, body: { last_by_subj: 'log.1.*' } },
  { subject: get, body: { next_by_subj: 'log.1.*', seq: 1 } },
  { subject: get, body: { next_by_subj: 'log.1.a' } },
  { subject: get, body: { seq: 1 } },
  { subject: get, body: { last_by_subj: 'log.none' } },
  { subject: get, body: {} },
  { subject: get },
  { subject: get, body: { seq: 3, last_by_subj: 'log.1.a' } },
  { subject: '$JS.API.STREAM.MSG.GET.NONE', body: { seq: 1 } },
  { subject: direct, body: { seq: 3 } },
  { subject: direct, body: { last_by_subj: 'log.1.a' } },
  { subject: `${direct}.log.1.a` },
  { subject: direct, body: { next_by_subj: 'log.1.>', seq: 4 } },
  { subject: direct, body: { seq: 999 } },
  { subject: direct, body: { last_by_subj: 'log.none' } },
  { subject: direct, body: {} },
  { subject: direct },
  { subject: '$JS.API.DIRECT.GET.NONE', body: { seq: 1 } },
  { subject: '$JS.API.DIRECT.GET.KEYS', body: { seq: 1 } },
  { subject: direct, body: { batch: 2, seq: 1, next_by_subj: 'log.1.>' }, isMany: true },
  { subject: direct, body: { batch: 100, seq: 4, next_by_subj: 'log.1.>' }, isMany: true },
  { subject: direct, body: { batch: 2, seq: 4 }, isMany: true },
  { subject: direct, body: { batch: 2, seq: 1, next_by_subj: 'log.9.>' }, isMany: true },
  {
    subject: direct,
    body: { batch: 9, seq: 1, next_by_subj: 'log.1.>', max_bytes: 10 },
    isMany: true,
  },
  { subject: direct, body: { batch: 2, last_by_subj: 'log.1.>' }, isMany: true },
  { subject: direct, body: { multi_last: ['log.1.a', 'log.1.b', 'log.1.z'] }, isMany: true },
  { subject: direct, body: { multi_last: ['log.1.*'], batch: 2 }, isMany: true },
  { subject: direct, body: { multi_last: ['log.1.*'], up_to_seq: 4 }, isMany: true },
  { subject: direct, body: { multi_last: ['log.9.*'] }, isMany: true },
  { subject: direct, body: { multi_last: ['log.1.*'], batch: 2, seq: 5 }, isMany: true },
];

const remove = '$JS.API.STREAM.MSG.DELETE';
const purge = '$JS.API.STREAM.PURGE.LOG';

const removing: readonly ModelStep[] = [
  { subject: `${remove}.LOG`, body: { seq: 4 } },
  { subject: `${remove}.LOG`, body: { seq: 4 } },
  { subject: `${remove}.LOG`, body: { seq: 5, no_erase: true } },
  { subject: `${remove}.KEYS`, body: { seq: 5, no_erase: true } },
  ...['a', 'b', 'c', 'd', 'e'].map(body => ({ subject: 'log.2.a', body })),
  { subject: purge, body: { filter: 'log.2.a', keep: 1, seq: 3 } },
  { subject: purge, body: { filter: 'log.2.a', seq: 9 } },
  { subject: purge, body: { filter: 'log.2.a', keep: 1 } },
  { subject: purge, body: { filter: 'log.2.a' } },
  { subject: 'log.2.a', body: 'x', headers: expectLast(0) },
  { subject: info, body: { deleted_details: true } },
  { subject: 'keys.k', body: '1', headers: expectLast(0) },
  { subject: 'keys.k', body: '2', headers: expectLast(1) },
  { subject: '$JS.API.STREAM.MSG.GET.KEYS', body: { seq: 1 } },
  { subject: '$JS.API.STREAM.INFO.KEYS' },
];

const limited = { discard: 'new', max_msgs_per_subject: 1 };

const limits: readonly ModelStep[] = [
  {
    subject: '$JS.API.STREAM.CREATE.FEW',
    body: { ...limited, name: 'FEW', subjects: ['few.>'], max_msgs: 2 },
  },
  { subject: 'few.a', body: '1' },
  { subject: 'few.a', body: '2' },
  { subject: 'few.b', body: '3' },
  { subject: 'few.c', body: '4' },
  { subject: 'few.a', body: '5' },
  {
    subject: '$JS.API.STREAM.CREATE.ONCE',
    body: {
      ...limited,
      name: 'ONCE',
      subjects: ['once.>'],
      discard_new_per_subject: true,
      max_bytes: 200,
    },
  },
  { subject: 'once.a', body: '1' },
  { subject: 'once.a', body: '2' },
  { subject: 'once.b', body: 'x'.repeat(300) },
  {
    subject: '$JS.API.STREAM.CREATE.RING',
    body: { name: 'RING', subjects: ['ring'], max_msgs: 2 },
  },
  ...['1', '2', '3'].map(body => ({ subject: 'ring', body })),
  { subject: '$JS.API.STREAM.INFO.RING' },
  { subject: '$JS.API.STREAM.UPDATE.PLAIN', body: { name: 'PLAIN', subjects: ['plain.*', 'p.*'] } },
  { subject: '$JS.API.STREAM.UPDATE.PLAIN', body: { name: 'PLAIN', storage: 'memory' } },
  { subject: '$JS.API.STREAM.UPDATE.NONE', body: { name: 'NONE', subjects: ['none.*'] } },
  { subject: purge },
  { subject: info },
  { subject: '$JS.API.STREAM.DELETE.RING' },
  { subject: '$JS.API.STREAM.DELETE.RING' },
  { subject: '$JS.API.STREAM.LEADER.STEPDOWN.LOG' },
];

const consumer = { deliver_subject: 'deliver.1', ack_policy: 'none', max_deliver: 1 };

const consumers: readonly ModelStep[] = [
  {
    subject: '$JS.API.CONSUMER.CREATE.KEYS.reader.keys.>',
    body: {
      stream_name: 'KEYS',
      action: 'create',
      config: {
        ...consumer,
        name: 'reader',
        deliver_policy: 'last_per_subject',
        filter_subject: 'keys.>',
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: 5_000_000_000,
      },
    },
  },
  { subject: '$JS.API.CONSUMER.INFO.KEYS.none' },
  { subject: '$JS.API.CONSUMER.NAMES.KEYS' },
  { subject: '$JS.API.CONSUMER.DELETE.KEYS.reader' },
  { subject: '$JS.API.CONSUMER.DELETE.KEYS.reader' },
];

/** All steps, in their order. */
export const modelSteps: readonly ModelStep[] = [
  ...streams,
  ...publishing,
  ...listing,
  ...reading,
  ...removing,
  ...limits,
  ...consumers,
];
