/**
 * Messages: each promised one takes effect once or is a dead letter, senders' messages are handled
 * in the order of sending, and nothing is left waiting at the end.
 */
import type { OutboxEntry } from '../state/entries.ts';
import { type Consumption, checkOrder, numberKey } from './check-order.ts';
import { groupBy, type Violation } from './history.ts';
import type { Deed } from './sim-troupe-deeds.ts';
import type { TroupeHistory } from './sim-troupe-history.ts';
import type { TrueLog } from './sim-troupe-truth.ts';

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
    ...checkCallerOrder(history),
    ...checkInboxes(history.logs),
  ];
}

function seeAll(logs: readonly TrueLog[]): Seen {
  const done = new Set<string>();
  const given = new Map<string, Deed>();
  const promised: { sender: string; entry: OutboxEntry }[] = [];
  const unsent = new Set<string>();
  for (const { agent, records } of logs) {
    for (const { did, record } of records) {
      if (did !== undefined) done.add(`${agent} ${did.command}`);
      for (const op of record.ops) {
        if (op[0] === 'send') {
          promised.push({ sender: agent, entry: op[1] });
          unsent.add(op[1].id);
        } else if (op[0] === 'sent') for (const id of op[1]) unsent.delete(id);
        else if (op[0] === 'dead' && op[1].action === 'act') {
          const deed = op[1].input as Deed;
          given.set(deed.command, deed);
        }
      }
    }
  }
  return { done, given, promised, unsent };
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
function checkAgentOrder(logs: readonly TrueLog[], { given }: Seen): Violation[] {
  const consumed: Consumption[] = [];
  for (const { agent: receiver, records } of logs) {
    for (const [order, { did }] of records.entries()) {
      // One that was given up and sent again has lost its place.
      if (did?.origin === undefined || given.has(did.command)) continue;
      consumed.push({ ...did.origin, receiver, order });
    }
  }
  const receivers = new Set(consumed.map(each => each.receiver));
  const abandoned = new Set<string>();
  for (const { origin } of given.values()) {
    if (origin === undefined) continue;
    for (const receiver of receivers) abandoned.add(numberKey({ ...origin, receiver }));
  }
  return checkOrder({ consumed, abandoned });
}

/** What each life of the node took from callers outside, in the order in which it took it. */
function checkCallerOrder({ logs, diary }: TroupeHistory): Violation[] {
  const byCommand = groupBy(diary.issues, each => each.operation.command);
  const consumed: Consumption[] = [];
  for (const { agent: receiver, records } of logs) {
    for (const [order, { did }] of records.entries()) {
      const issues = did === undefined ? undefined : byCommand.get(did.command);
      const [issue] = issues ?? [];
      // Of several attempts nobody knows which one it was.
      if (issue === undefined || issues?.length !== 1 || !issue.isNumbered) continue;
      const { incarnation: sender, lane, issue: number } = issue;
      consumed.push({ sender, receiver, lane, number, order });
    }
  }
  return checkOrder({ consumed, isGapAllowed: true });
}

function checkInboxes(logs: readonly TrueLog[]): Violation[] {
  return logs.flatMap(({ agent, records }) => {
    const waiting = new Map<string, string>();
    for (const { record } of records) {
      for (const op of record.ops) {
        if (op[0] === 'inbox') waiting.set(op[1].id, op[1].action);
        else if (op[0] === 'uninbox') waiting.delete(op[1]);
      }
    }
    return [...waiting].map(([id, action]) => ({
      check: 'promised',
      message: `${agent}: message ${id} (${action}) is still in the inbox`,
    }));
  });
}
