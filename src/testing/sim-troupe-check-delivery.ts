/**
 * Messages: each promised one takes effect once or is a dead letter, senders' messages are handled
 * in the order of sending, and nothing is left waiting at the end.
 */
import type { OutboxEntry } from '../state/entries.ts';
import { type Consumption, checkOrder, numberKey } from './check-order.ts';
import { groupBy, type Violation } from './history.ts';
import { type Deed, isMoth } from './sim-troupe-deeds.ts';
import type { TroupeHistory } from './sim-troupe-history.ts';
import { opsOf, type TrueLog } from './sim-troupe-truth.ts';

interface Seen {
  /** Deeds that took effect, as `agent command`. */
  readonly done: ReadonlySet<string>;
  /** Deeds that were given up at any time. */
  readonly given: ReadonlyMap<string, Deed>;
  readonly promised: readonly { readonly sender: string; readonly entry: OutboxEntry }[];
  readonly unsent: ReadonlySet<string>;
}

/** Checks all messages of a world. */
export function checkDeliveries(history: TroupeHistory): Violation[] {
  const seen = seeAll(history.logs);
  return [
    ...checkPromises(seen),
    ...checkAgentOrder(history.logs, seen),
    ...checkCallerOrder(history, seen),
    ...checkInboxes(history.logs),
  ];
}

function seeAll(logs: readonly TrueLog[]): Seen {
  const done = new Set<string>();
  for (const { agent, records } of logs) {
    for (const { did } of records) if (did !== undefined) done.add(`${agent} ${did.command}`);
  }
  const promised = opsOf(logs, 'send').map(({ agent, op }) => ({ sender: agent, entry: op[1] }));
  const unsent = new Set(promised.map(({ entry }) => entry.id));
  for (const { op } of opsOf(logs, 'sent')) for (const id of op[1]) unsent.delete(id);
  return { done, given: givenUp(logs), promised, unsent };
}

/** The deeds that were given up at any time, by command. */
export function givenUp(logs: readonly TrueLog[]): Map<string, Deed> {
  const deeds = opsOf(logs, 'dead')
    .filter(({ op }) => op[1].action === 'act')
    // The agents of this world are sent deeds.
    .map(({ op }) => op[1].input as Deed);
  return new Map(deeds.map(deed => [deed.command, deed]));
}

function checkPromises({ done, given, promised, unsent }: Seen): Violation[] {
  const violations: Violation[] = [];
  for (const { sender, entry } of promised) {
    const { command } = entry.input as Deed;
    const receiver = `${entry.type}/${entry.key}`;
    const report = (what: string) => {
      const message = `${sender}: ${command} to ${receiver} (message ${entry.id}) ${what}`;
      violations.push({ check: 'promised', message });
    };
    const isJob = entry.action !== 'act';
    if (!isJob && !done.has(`${receiver} ${command}`) && !given.has(command)) {
      report('neither took effect nor is a dead letter');
    }
    if (unsent.has(entry.id)) report('is still in the outbox');
  }
  return violations;
}

/** What agents sent, by the numbers that their own state counted. */
function checkAgentOrder(logs: readonly TrueLog[], seen: Seen): Violation[] {
  const consumed = logs.flatMap(log => consumedBy(log, seen));
  const receivers = new Set(consumed.map(each => each.receiver));
  const abandoned = new Set<string>();
  for (const { origin } of seen.given.values()) {
    if (origin === undefined) continue;
    for (const receiver of receivers) abandoned.add(numberKey({ ...origin, receiver }));
  }
  // What only memory promises may be lost with it.
  const isLasting = ({ sender }: Consumption) => !isMoth(sender);
  return [
    ...checkOrder({ consumed: consumed.filter(isLasting), abandoned }),
    ...checkOrder({ consumed: consumed.filter(each => !isLasting(each)), isGapAllowed: true }),
  ];
}

function consumedBy({ agent: receiver, records }: TrueLog, { given }: Seen): Consumption[] {
  return records.flatMap(({ did }, order) => {
    // One that was given up and sent again has lost its place.
    if (did?.origin === undefined || given.has(did.command)) return [];
    return [{ ...did.origin, receiver, order }];
  });
}

/** What each life of the node took from callers outside, in the order in which it took it. */
function checkCallerOrder({ logs, diary }: TroupeHistory, { given }: Seen): Violation[] {
  const byCommand = groupBy(diary.issues, each => each.operation.command);
  const consumed = logs.flatMap(({ agent: receiver, records }) =>
    records.flatMap(({ did }, order): Consumption[] => {
      const [issue, ...more] = byCommand.get(did?.command ?? '') ?? [];
      // Of several attempts nobody knows which one it was.
      if (issue === undefined || more.length > 0 || !issue.isNumbered) return [];
      if (given.has(issue.operation.command)) return [];
      const { incarnation: sender, lane, issue: number } = issue;
      return [{ sender, receiver, lane, number, order }];
    }),
  );
  return checkOrder({ consumed, isGapAllowed: true });
}

function checkInboxes(logs: readonly TrueLog[]): Violation[] {
  const done = new Set(opsOf(logs, 'uninbox').map(({ op }) => op[1]));
  return opsOf(logs, 'inbox')
    .filter(({ op }) => !done.has(op[1].id))
    .map(({ agent, op }) => ({
      check: 'promised',
      message: `${agent}: message ${op[1].id} (${op[1].action}) is still in the inbox`,
    }));
}
