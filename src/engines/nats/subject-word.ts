/**
 * Words of subjects: any text as one word that servers, permissions and the tools around them take
 * without question. Letters, digits, `-` and `_` stand for themselves, every other byte of the
 * UTF-8 form for `=` and two hexadecimal digits, and no text at all for a single `=`.
 */
import { TroupeError } from '../../core/errors.ts';

const plainWord = /^[\w-]+$/;
const plainByte = /[\w-]/;
const writtenByte = /=([0-9A-F]{2})/g;

/** A text as a word. */
export function wordOf(text: string): string {
  if (plainWord.test(text)) return text;
  if (text === '') return '=';
  let word = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    word += plainByte.test(character) ? character : `=${hexOf(byte)}`;
  }
  return word;
}

/**
 * The text of a word that {@link wordOf} made.
 *
 * @throws `LOG_CORRUPT` when it made no such word.
 */
export function textOfWord(word: string): string {
  if (plainWord.test(word)) return word;
  if (word === '=') return '';
  const bytes = Buffer.from(
    word.replace(writtenByte, (_, digits: string) => String.fromCharCode(Number(`0x${digits}`))),
    'latin1',
  );
  const text = bytes.toString('utf8');
  // What reads back as another word was written by somebody else.
  if (wordOf(text) === word) return text;
  throw new TroupeError('LOG_CORRUPT', { detail: `${JSON.stringify(word)} is no word of ours` });
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
