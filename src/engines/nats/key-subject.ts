/**
 * Keys as subjects of a key-value bucket. A key is cut at its first slashes into words, so that a
 * server can pick out those that begin alike; the tools around NATS show the words as they are.
 */
import { TroupeError } from '../../core/errors.ts';
import { textOfWord, wordOf } from './subject-word.ts';

/** So many slashes cut; what follows is one word. */
const cutsMax = 3;

/** The stream of a bucket. */
export function bucketStream(bucket: string): string {
  return `KV_${bucket}`;
}

/** The subject of a key. */
export function subjectOfKey(bucket: string, key: string): string {
  return `${bucketPrefix(bucket)}${wordsOf(key).map(wordOf).join('.')}`;
}

/** The key of a subject; nothing when it is that of somebody else, which no key of ours has. */
export function keyOfSubject(bucket: string, subject: string): string | undefined {
  try {
    return subject.slice(bucketPrefix(bucket).length).split('.').map(textOfWord).join('/');
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return undefined;
  }
}

/** A pattern that matches at least the subjects of the keys that begin so. */
export function patternOfPrefix(bucket: string, prefix: string): string {
  // The last word may go on in the key.
  const whole = wordsOf(prefix).slice(0, -1);
  return `${bucketPrefix(bucket)}${[...whole.map(wordOf), '>'].join('.')}`;
}

function bucketPrefix(bucket: string): string {
  return `$KV.${bucket}.`;
}

function wordsOf(key: string): string[] {
  const parts = key.split('/');
  const rest = parts.slice(cutsMax);
  return rest.length === 0 ? parts : [...parts.slice(0, cutsMax), rest.join('/')];
}
