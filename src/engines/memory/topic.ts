/**
 * Topics of the bus: words joined by dots; `*` stands for one word, a final `>` for one or more.
 */
import { TroupeError } from '../../core/errors.ts';

/** A word that is missing, or stands for others. */
const noWord = /(?:^|\.)[*>]?(?:\.|$)/;

/**
 * Refuses what is not a topic.
 *
 * @throws `INVALID_INPUT` when it is empty, has empty words or wildcards.
 */
export function checkTopic(topic: string): void {
  if (!noWord.test(topic)) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `${JSON.stringify(topic)} is not a topic; write words joined by dots, no wildcards`,
  });
}

/**
 * Refuses what is not a pattern.
 *
 * @throws `INVALID_INPUT` when it has empty words or a `>` that is not the last one.
 */
export function checkPattern(pattern: string): void {
  const words = pattern.split('.');
  const end = words.length - 1;
  if (words.every((word, index) => word !== '' && (word !== '>' || index === end))) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `${JSON.stringify(pattern)} is not a pattern; write words, \`*\`, or a final \`>\``,
  });
}

/** Tells whether a topic matches a pattern; both are assumed to be well-formed. */
export function topicMatcher(pattern: string): (topic: string) => boolean {
  const words = pattern.split('.');
  if (!words.includes('*') && words.at(-1) !== '>') return topic => topic === pattern;
  const isOpen = words.at(-1) === '>';
  const fixed = isOpen ? words.slice(0, -1) : words;
  return topic => {
    const parts = topic.split('.');
    const isLongEnough = isOpen ? parts.length > fixed.length : parts.length === fixed.length;
    return isLongEnough && fixed.every((word, index) => word === '*' || word === parts[index]);
  };
}
