/**
 * Topics of the bus as subjects: word by word below a prefix, so that the wildcards of patterns are
 * those of the servers, and every character a topic may hold survives.
 */
import { TroupeError } from '../../core/errors.ts';
import { textOfWord, wordOf } from './subject-word.ts';

/** The longest subject. A line of the protocol holds 4 KiB; a longer one ends the connection. */
const subjectBytesMax = 1_024;

/**
 * The subject of a topic.
 *
 * @throws `INVALID_INPUT` when it is empty, has empty words or wildcards, or is too long.
 */
export function subjectOfTopic(prefix: string, topic: string): string {
  const words = topic.split('.');
  if (words.some(word => word === '' || word === '*' || word === '>')) {
    throw notA('topic', topic, 'write words joined by dots, no wildcards');
  }
  return subjectOf(prefix, words.map(wordOf), topic);
}

/**
 * The subject of a pattern.
 *
 * @throws `INVALID_INPUT` when it has empty words, a `>` that is not the last one, or is too long.
 */
export function subjectOfPattern(prefix: string, pattern: string): string {
  const words = pattern.split('.');
  const end = words.length - 1;
  if (words.some((word, index) => word === '' || (word === '>' && index !== end))) {
    throw notA('pattern', pattern, 'write words, `*`, or a final `>`');
  }
  const isWild = (word: string) => word === '*' || word === '>';
  return subjectOf(
    prefix,
    words.map(word => (isWild(word) ? word : wordOf(word))),
    pattern,
  );
}

/**
 * The topic of a subject.
 *
 * @throws `LOG_CORRUPT` when a word of it was not written by this code.
 */
export function topicOfSubject(prefix: string, subject: string): string {
  return subject
    .slice(prefix.length + 1)
    .split('.')
    .map(textOfWord)
    .join('.');
}

function subjectOf(prefix: string, words: readonly string[], text: string): string {
  const subject = `${prefix}.${words.join('.')}`;
  if (subject.length <= subjectBytesMax && text.isWellFormed()) return subject;
  throw notA(
    'topic',
    text,
    `it is encoded in at most ${subjectBytesMax} bytes of well-formed text`,
  );
}

function notA(what: string, text: string, remedy: string): TroupeError {
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  return new TroupeError('INVALID_INPUT', { detail: `${shown} is not a ${what}; ${remedy}` });
}
