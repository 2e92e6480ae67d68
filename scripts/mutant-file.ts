/**
 * A mutant on disk: a small patch that plants one bug, with the promise it breaks and the checks
 * that must notice. A hunk names its file and shows what stands there and what is put in its place;
 * it is found by its text alone, whatever the lines around it and however it is wrapped, and it
 * must be found once. `docs/guides/mutants.md` draws the format.
 */

/** What must notice a mutant. */
export interface MutantCheck {
  /** `vitest FILE... [-t NAME]`, `laws SUITE [LAW]` or `sim [--hours H] [--seed N]`. */
  readonly command: string;
  readonly tool: string;
  readonly words: readonly string[];
}

/** One replacement in one file. */
export interface Hunk {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A planted bug. */
export interface Mutant {
  readonly name: string;
  /** The promise that it breaks. */
  readonly promise: string;
  /** What is wrong, in one sentence. */
  readonly bug: string;
  /** Whether it belongs to the quick selection. */
  readonly isSmoke: boolean;
  readonly checks: readonly MutantCheck[];
  readonly hunks: readonly Hunk[];
}

const toolNames: readonly string[] = ['vitest', 'laws', 'sim'];
const fieldNames = ['promise', 'bug', 'smoke', 'check'] as const;

/** Reads a mutant, or says in a sentence what is wrong with it. */
export function readMutant(name: string, text: string): Mutant | string {
  const [head = '', ...parts] = text.split(/^in (\S+)\n/m);
  const fields = readFields(head);
  if (typeof fields === 'string') return fields;
  const { promise = [], bug = [], smoke = [], check: commands = [] } = fields;
  const checks = commands.map(readCheck);
  const mistake = checks.find(check => typeof check === 'string');
  if (mistake !== undefined) return mistake;
  if (promise.length * bug.length * checks.length === 0)
    return 'it needs the fields promise, bug and check';
  if (parts.length === 0) return 'it has no hunk';
  return {
    name,
    promise: promise.join(' '),
    bug: bug.join(' '),
    isSmoke: smoke.includes('yes'),
    checks: checks.filter(check => typeof check !== 'string'),
    hunks: readHunks(parts),
  };
}

/** The text with the hunk in it, or a sentence that says why it does not fit. */
export function applyHunk(text: string, hunk: Hunk): { readonly text: string } | string {
  const { bare, places } = withoutSpaces(text);
  const wanted = withoutSpaces(hunk.before).bare;
  const first = bare.indexOf(wanted);
  if (wanted === '' || first < 0) return `${hunk.path} does not hold what is to be replaced`;
  if (bare.indexOf(wanted, first + 1) >= 0) return `${hunk.path} holds it more than once`;
  const from = places[first] ?? 0;
  const to = (places[first + wanted.length - 1] ?? 0) + 1;
  return { text: text.slice(0, from) + hunk.after.trim() + text.slice(to) };
}

type Fields = Partial<Record<(typeof fieldNames)[number], readonly string[]>>;

function readFields(head: string): Fields | string {
  const fields: Fields = {};
  for (const line of head.split('\n')) {
    if (line.trim() === '') continue;
    const [, word = '', value = ''] = /^(\w+): (.+)$/.exec(line) ?? [];
    const name = fieldNames.find(each => each === word);
    if (name === undefined) return `"${line}" is neither a field nor the beginning of a hunk`;
    fields[name] = [...(fields[name] ?? []), value];
  }
  return fields;
}

/** Paths and bodies, in turns. */
function readHunks(parts: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const lines = (parts[index + 1] ?? '').split('\n');
    const without = (mark: string) =>
      lines
        .filter(line => !line.startsWith(mark))
        .map(line => line.slice(1))
        .join('\n');
    hunks.push({ path: parts[index] ?? '', before: without('+'), after: without('-') });
  }
  return hunks;
}

function readCheck(command: string): MutantCheck | string {
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
  const [tool = '', ...rest] = words.filter(word => word !== undefined);
  if (!toolNames.includes(tool)) return `"${command}" begins with none of ${toolNames.join(', ')}`;
  return { command, tool, words: rest };
}

/** A text without white space, and the place in the text of each character that is left. */
function withoutSpaces(text: string): { bare: string; places: number[] } {
  const places: number[] = [];
  let bare = '';
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place] ?? '';
    if (/\s/.test(character)) continue;
    bare += character;
    places.push(place);
  }
  return { bare, places };
}
