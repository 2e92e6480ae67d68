/**
 * The configuration of a stream: completed with what servers take where nothing is said, and
 * without what their version does not know, which older servers leave out and do not mention.
 */
import { isSubject } from './sim-nats-subjects.ts';
import { configSince, isAtLeast, type NatsVersion } from './sim-nats-version.ts';

/** What the model reads of a configuration; all else is only echoed. */
export interface SimNatsStreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly max_msgs_per_subject: number;
  readonly max_msg_size: number;
  readonly discard: 'old' | 'new';
  readonly discard_new_per_subject?: boolean | undefined;
  readonly storage: 'file' | 'memory';
  readonly num_replicas: number;
  readonly duplicate_window: number;
  readonly allow_direct: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly allow_msg_ttl?: boolean | undefined;
}

/** An error as JetStream states it. */
export interface SimNatsError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

/** The forms of errors that the model gives. */
export function natsError(code: number, err_code: number, description: string): SimNatsError {
  return { code, err_code, description };
}

const windowDefault = 120_000_000_000;

// In the order of a server's answer. All of these a client may leave out.
const defaults: Readonly<Record<string, unknown>> = {
  retention: 'limits',
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: 'old',
  storage: 'file',
  num_replicas: 1,
  duplicate_window: windowDefault,
  compression: 'none',
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
};

// Not shown unless they are on.
const quiet = ['allow_msg_counter', 'allow_atomic', 'allow_msg_schedules', 'persist_mode'];
const unlimited = [
  'max_consumers',
  'max_msgs',
  'max_bytes',
  'max_msgs_per_subject',
  'max_msg_size',
];
const known = new Set([
  ...Object.keys(defaults),
  ...quiet,
  ...['name', 'subjects', 'description', 'no_ack', 'template_owner', 'placement', 'mirror'],
  ...['sources', 'metadata', 'republish', 'discard_new_per_subject', 'first_seq'],
  ...['subject_transform', 'subject_delete_marker_ttl'],
]);

/** What is asked for, as a server of a version takes it; or why it does not. */
export function completeConfig(
  asked: Readonly<Record<string, unknown>>,
  version: NatsVersion,
): SimNatsStreamConfig | SimNatsError {
  const stranger = Object.keys(asked).find(name => !known.has(name));
  if (stranger !== undefined && isAtLeast(version, '2.12.0')) {
    return natsError(400, 10025, `invalid JSON: json: unknown field "${stranger}"`);
  }
  const config = filled(asked, version);
  for (const each of unlimited) if (config[each] === 0) config[each] = -1;
  if (config.duplicate_window === 0) config.duplicate_window = windowDefault;
  if (isAtLeast(version, configSince.metadata ?? '')) {
    config.metadata = { ...(asked.metadata as object | undefined), ...marks(version) };
  }
  // Everything that the interface names has just been set.
  return invalidity(config) ?? (config as unknown as SimNatsStreamConfig);
}

/** What the version knows of what was asked for, and the defaults beside it. */
function filled(asked: Readonly<Record<string, unknown>>, version: NatsVersion) {
  const isKnown = (name: string) => known.has(name) && isAtLeast(version, configSince[name] ?? '0');
  const { name, subjects = [name] } = asked;
  const config: Record<string, unknown> = { name, subjects };
  for (const each of Object.keys(defaults).filter(isKnown)) {
    config[each] = asked[each] ?? defaults[each];
  }
  for (const [each, value] of Object.entries(asked)) {
    if (isKnown(each) && config[each] === undefined && !isOff(value)) config[each] = value;
  }
  return config;
}

/** Whether two configurations are the same. */
export function isSameConfig(left: SimNatsStreamConfig, right: SimNatsStreamConfig): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function marks(version: NatsVersion): Record<string, string> {
  if (!isAtLeast(version, '2.11.0')) return {};
  return { '_nats.level': '5', '_nats.req.level': '0', '_nats.ver': version.join('.') };
}

function isOff(value: unknown): boolean {
  return value === false || value === null || value === 0 || value === '';
}

function invalidity(config: Readonly<Record<string, unknown>>): SimNatsError | undefined {
  const { name, subjects, duplicate_window, max_age } = config;
  if (typeof name !== 'string' || !/^[^\s.*>]+$/.test(name)) {
    return natsError(400, 10052, 'invalid stream name');
  }
  const isList = Array.isArray(subjects) && subjects.every(each => typeof each === 'string');
  if (!isList || !subjects.every(each => isSubject(each, true))) {
    return natsError(400, 10052, 'invalid subject');
  }
  if (Number(max_age) > 0 && Number(max_age) < 100_000_000) {
    return natsError(400, 10052, 'max age needs to be >= 100ms');
  }
  return Number(duplicate_window) < 0
    ? natsError(400, 10052, 'duplicates window can not be negative')
    : undefined;
}
