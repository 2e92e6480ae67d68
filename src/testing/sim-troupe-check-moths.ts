/**
 * Agents that live in memory only: while their process lives they forget nothing, do each thing
 * once, and answer as if there were one of them.
 */
import { checkVersions } from './check-versions.ts';
import { describeOperation, groupBy, type Operation, type Violation } from './history.ts';
import { isMoth, type MothTally } from './sim-troupe-deeds.ts';
import type { MothNote } from './sim-troupe-notes.ts';

/** What a check of moths looks at. */
export interface MothHistory {
  readonly operations: readonly Operation[];
  /** In the order in which the turns ended. */
  readonly notes: readonly MothNote[];
  /** Whether a moth that has changed may leave memory before its process ends. */
  readonly mayForget: boolean;
}

/** Checks all moths of a world. */
export function checkMoths({ operations, notes, mayForget }: MothHistory): Violation[] {
  const ofMoths = operations.filter(each => isMoth(each.agent));
  const messages: string[] = [];
  for (const ofAgent of groupBy(notes, each => each.agent).values()) {
    checkLives(ofAgent, messages, mayForget);
  }
  checkAnswers(ofMoths, notes, messages);
  return [
    ...messages.map(message => ({ check: 'moths', message })),
    ...checkVersions(ofMoths.flatMap(withLife)),
  ];
}

function checkLives(notes: readonly MothNote[], messages: string[], mayForget: boolean): void {
  const lives = new Set<number>();
  let before: MothNote | undefined;
  for (const note of notes) {
    const { agent, life, turns, incarnation } = note;
    const isNew = before?.life !== life;
    const what = isNew
      ? (wrongFirst(note) ?? wrongBirth(before, note, { lives, mayForget }))
      : wrongNext(before, note);
    if (what !== undefined)
      messages.push(`${agent}: turn ${turns} of life ${life} in ${incarnation} ${what}`);
    lives.add(life);
    before = note;
  }
}

interface Past {
  readonly lives: ReadonlySet<number>;
  readonly mayForget: boolean;
}

function wrongBirth(
  before: MothNote | undefined,
  { life, incarnation }: MothNote,
  { lives, mayForget }: Past,
): string | undefined {
  if (lives.has(life)) return 'comes after another life has begun';
  const isForgotten = before?.incarnation === incarnation && !mayForget;
  return isForgotten ? `has forgotten life ${before?.life}` : undefined;
}

function wrongFirst({ turns, total, amount }: MothNote): string | undefined {
  return turns === 1 && total === amount ? undefined : `begins with ${total}`;
}

function wrongNext(before: MothNote | undefined, note: MothNote): string | undefined {
  if (before === undefined) return undefined;
  if (note.incarnation !== before.incarnation) return 'outlived a process';
  if (note.turns !== before.turns + 1) return `follows turn ${before.turns}`;
  const total = before.total + note.amount;
  return note.total === total ? undefined : `made ${note.total} and not ${total}`;
}

function checkAnswers(
  operations: readonly Operation[],
  notes: readonly MothNote[],
  messages: string[],
): void {
  const byCommand = groupBy(notes, each => `${each.agent} ${each.command}`);
  for (const operation of operations) {
    if (operation.kind !== 'write') continue;
    const effects = byCommand.get(`${operation.agent} ${operation.command}`) ?? [];
    const what = contradictionOf(operation, effects);
    if (what === undefined) continue;
    messages.push(`${operation.agent}: ${describeOperation(operation)} ${what}`);
  }
}

function contradictionOf(
  { status, output }: Operation,
  effects: readonly MothNote[],
): string | undefined {
  const [effect] = effects;
  if (effects.length > 1) return `took effect ${effects.length} times`;
  if (status === 'fail' && effect !== undefined) return 'took effect, and was said not to have';
  // What is only sent is confirmed before it is done.
  if (status !== 'ok' || output === undefined) return undefined;
  const { life, turns, total } = output as MothTally;
  if (effect?.life === life && effect.turns === turns && effect.total === total) return undefined;
  return `answered ${JSON.stringify(output)}, and did ${JSON.stringify(effect)}`;
}

/** An operation with its life as its agent, and the turns of that life as versions. */
function withLife(operation: Operation): Operation[] {
  if (operation.status !== 'ok' || operation.output === undefined) return [];
  const { life, turns } = operation.output as MothTally;
  if (turns === 0) return [];
  const agent = `${operation.agent}~${life}`;
  return [{ ...operation, agent, stamp: { epoch: 0, version: turns } }];
}
