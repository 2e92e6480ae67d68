/**
 * What a mailbox costs by itself: a queue, a loop that awaits each handler, a promise for the
 * answer. No lookup, no schema, no copies: the upper limit for anything that answers messages in
 * one process.
 */
import {
  answerAsProbe,
  callsPerSecond,
  isQuick,
  itemsPerSecond,
  residentBytes,
  type Sample,
} from './measure.ts';

const agentCount = isQuick ? 100_000 : 400_000;

interface Message {
  readonly amount: number;
}

interface Waiting {
  readonly message: Message;
  readonly resolve: (reply: number) => void;
}

class BareAgent {
  readonly id: string;
  #balance = 0;
  #isDraining = false;
  #waiting: Waiting[] | undefined;

  constructor(id: string) {
    this.id = id;
  }

  ask(message: Message): Promise<number> {
    return new Promise(resolve => {
      this.#waiting ??= [];
      this.#waiting.push({ message, resolve });
      if (this.#isDraining) return;
      this.#isDraining = true;
      queueMicrotask(() => void this.#drain());
    });
  }

  async #drain(): Promise<void> {
    for (let queue = this.#waiting; queue !== undefined; queue = this.#waiting) {
      this.#waiting = undefined;
      for (const { message, resolve } of queue) resolve(await this.#handle(message));
    }
    this.#isDraining = false;
  }

  async #handle(message: Message): Promise<number> {
    this.#balance += message.amount;
    return this.#balance;
  }
}

async function ask(callers: number): Promise<number> {
  const agent = new BareAgent('account/alice');
  return callsPerSecond(callers, () => agent.ask({ amount: 1 }));
}

async function start(): Promise<Sample> {
  const agents = new Map<string, BareAgent>();
  const rate = await itemsPerSecond(agentCount, 64, item => {
    const id = `account/${item}`;
    const agent = new BareAgent(id);
    agents.set(id, agent);
    return agent.ask({ amount: 1 });
  });
  return { 'mailbox-start': rate };
}

async function bytes(): Promise<Sample> {
  const before = await residentBytes();
  const agents = new Map<string, BareAgent>();
  for (let index = 0; index < agentCount; index++) {
    const id = `account/${index}`;
    agents.set(id, new BareAgent(id));
  }
  for (const agent of agents.values()) await agent.ask({ amount: 1 });
  const after = await residentBytes();
  return { 'mailbox-bytes': (after - before) / agents.size };
}

if (import.meta.main) {
  await answerAsProbe({
    'mailbox-1': async () => ({ 'mailbox-1': await ask(1) }),
    'mailbox-64': async () => ({ 'mailbox-64': await ask(64) }),
    'mailbox-start': start,
    'mailbox-bytes': bytes,
  });
}
