/** Did you mean …? The name that somebody probably wanted, for messages about unknown names. */

/**
 * The end of a message about an unknown name: `; did you mean "move"?`, or nothing when no known
 * name is near.
 */
export function suggestionFor(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/** The known name that is nearest to `name`, if it is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > nameLengthMax) return undefined;
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (candidate.length > nameLengthMax) continue;
    const count = editsBetween(wanted, candidate.toLowerCase());
    if (count < least) {
      least = count;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Longer names are not compared: the work is the product of the lengths. */
const nameLengthMax = 100;

/** Insertions, removals, replacements and swaps of neighbours that turn one word into another. */
function editsBetween(source: string, target: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let row = 1; row <= source.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= target.length; column += 1) {
      const isSame = source[row - 1] === target[column - 1];
      let count = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap =
        source[row - 1] === target[column - 2] && source[row - 2] === target[column - 1];
      if (isSwap) count = Math.min(count, at(beforeLast, column - 2) + 1);
      current.push(count);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, target.length);
}

function at(counts: readonly number[], index: number): number {
  return counts[index] ?? Number.POSITIVE_INFINITY;
}
