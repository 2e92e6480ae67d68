/**
 * Subjects of NATS: words joined by dots; in a pattern `*` stands for one word and a final `>` for
 * one or more. Pure functions, shared by everything in the model that routes or filters.
 */

const words = new Map<string, readonly string[]>();
const wordsMax = 50_000;

/** The words of a subject or pattern. */
export function wordsOf(subject: string): readonly string[] {
  const known = words.get(subject);
  if (known !== undefined) return known;
  // Subjects repeat; a run that invents them without end must not fill the memory.
  if (words.size >= wordsMax) words.clear();
  const split = subject.split('.');
  words.set(subject, split);
  return split;
}

/** Whether a pattern holds wildcards. */
export function isPattern(pattern: string): boolean {
  return wordsOf(pattern).some(word => word === '*' || word === '>');
}

/** Whether a subject, which holds no wildcards, is one that the pattern stands for. */
export function matches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  const [wanted, found] = [wordsOf(pattern), wordsOf(subject)];
  for (const [place, word] of wanted.entries()) {
    if (word === '>') return found.length > place;
    if (place >= found.length) return false;
    if (word !== '*' && word !== found[place]) return false;
  }
  return wanted.length === found.length;
}

/** Whether some subject is one that both patterns stand for. */
export function overlaps(left: string, right: string): boolean {
  const [lefts, rights] = [wordsOf(left), wordsOf(right)];
  const length = Math.max(lefts.length, rights.length);
  for (let place = 0; place < length; place++) {
    const [one, other] = [lefts[place], rights[place]];
    if (one === undefined || other === undefined) return false;
    if (one === '>' || other === '>') return true;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
  return true;
}

/** Whether a server takes this as the subject of a message, or, with wildcards, of a listener. */
export function isSubject(subject: string, hasWildcards = false): boolean {
  if (/[\s\0]/.test(subject)) return false;
  const found = wordsOf(subject);
  return found.every((word, place) => {
    if (word === '') return false;
    if (word === '*') return hasWildcards;
    return word !== '>' || (hasWildcards && place === found.length - 1);
  });
}
