/**
 * Where a log lives: its shard, its stream and its subject, from its name alone. The type of an
 * agent is a word of its own, so that a server can list one type. Names that would make a long
 * subject are hashed; the full name stands in each message.
 */
import { createHash } from 'node:crypto';
import { TroupeError } from '../../core/errors.ts';
import { textOfWord, wordOf } from './subject-word.ts';

/** How the logs of a cluster are spread; fixed when its streams are made. */
export interface LogLayout {
  /** The name of the cluster, a word of letters, digits, `-` and `_`. */
  readonly cluster: string;
  readonly shardCount: number;
  readonly streamCount: number;
}

/** The place of one log. */
export interface LogPlace {
  readonly name: string;
  /** The number of its stream. */
  readonly streamIndex: number;
  readonly stream: string;
  readonly subject: string;
}

/** The longest name that stands in subjects as it is, in bytes. */
const wordsBytesMax = 200;
/** Begins the word of a hashed name; no encoded name begins so. */
const hashMark = '==';

/** The place of a log. */
export function placeOf(layout: LogLayout, name: string): LogPlace {
  const shard = shardOf(name, layout.shardCount);
  const streamIndex = shard % layout.streamCount;
  // Joined and not added: a sum keeps its parts in memory, and there are many logs.
  const subject = [logSubjectPrefix(layout), shard, '.', wordsOf(name)].join('');
  return { name, streamIndex, stream: sharedStreamName(layout, streamIndex), subject };
}

const streamNames = new WeakMap<LogLayout, string[]>();

/** One text for all logs of a stream: there are many logs. */
function sharedStreamName(layout: LogLayout, index: number): string {
  const names = streamNames.get(layout) ?? [];
  if (names.length === 0) streamNames.set(layout, names);
  names[index] ??= logStreamName(layout, index);
  return names[index];
}

/** The name of the stream number `index`. */
export function logStreamName({ cluster }: LogLayout, index: number): string {
  return `tp_${cluster}_log_${index}`;
}

/** The subjects of the stream number `index`: one for each of its shards. */
export function logStreamSubjects(layout: LogLayout, index: number): string[] {
  return shardsOfStream(layout, index).map(shard => `${logSubjectPrefix(layout)}${shard}.>`);
}

/** The shards of the stream number `index`, in the order in which their subjects sort. */
export function shardsOfStream({ shardCount, streamCount }: LogLayout, index: number): number[] {
  const shards: number[] = [];
  for (let shard = index; shard < shardCount; shard += streamCount) shards.push(shard);
  return shards.sort((left, right) => (`${left}.` < `${right}.` ? -1 : 1));
}

/** What the subjects of all logs begin with. */
export function logSubjectPrefix({ cluster }: LogLayout): string {
  return `tp.${cluster}.log.`;
}

/** The name of the stream of marks: wake times, and where trimmed logs begin. */
export function markStreamName({ cluster }: LogLayout): string {
  return `tp_${cluster}_marks`;
}

/** What the subjects of one kind of mark begin with. */
export function markSubjectPrefix({ cluster }: LogLayout, kind: 'wake' | 'cut'): string {
  return `tp.${cluster}.${kind}.`;
}

/** The subject of a mark about a log. */
export function markSubject(layout: LogLayout, kind: 'wake' | 'cut', place: LogPlace): string {
  return markSubjectPrefix(layout, kind) + place.subject.slice(logSubjectPrefix(layout).length);
}

/** The name that a subject of a log stands for; nothing when it is hashed. */
export function nameOfSubject(layout: LogLayout, subject: string): string | undefined {
  const prefix = logSubjectPrefix(layout);
  const words = subject.slice(subject.indexOf('.', prefix.length) + 1).split('.');
  if (!subject.startsWith(prefix) || words.some(word => word.startsWith(hashMark))) {
    return undefined;
  }
  return words.map(textOfWord).join('/');
}

/** FNV-1a over the UTF-8 bytes, with a final mix because the low bits choose. */
export function shardOf(name: string, shardCount: number): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index);
    if (unit > 0x7f) return mixed(hashOfBytes(Buffer.from(name))) % shardCount;
    hash = Math.imul(hash ^ unit, 0x0100_0193);
  }
  return mixed(hash) % shardCount;
}

function hashOfBytes(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash;
}

function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 15);
  mix = Math.imul(mix, 0x85eb_ca6b);
  return (mix ^ (mix >>> 13)) >>> 0;
}

/** Two words for `type/key`, one for a name without a slash. */
function wordsOf(name: string): string {
  if (!name.isWellFormed()) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `the name of a log holds half a surrogate pair: ${JSON.stringify(name)}`,
    });
  }
  const slash = name.indexOf('/');
  const type = slash < 0 ? '' : `${wordOf(name.slice(0, slash))}.`;
  const words = type + wordOf(name.slice(slash + 1));
  if (words.length <= wordsBytesMax) return words;
  const hash = hashMark + createHash('sha256').update(name).digest('hex').slice(0, 40);
  return type.length <= wordsBytesMax / 2 ? type + hash : hash;
}
