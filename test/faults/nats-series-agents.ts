/**
 * The agents whose word is checked while servers fail: counters that keep which operations they
 * applied, jobs of several steps, and a tally of the messages that both promise to send.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';

const operations = z.array(z.number().int());

/** Applies operations, each at most once, in an order that it remembers. */
export const counter = defineAgent('counter', {
  state: z.object({ applied: operations.default([]) }),
  actions: {
    /** Answers with how many there are now. */
    add: turn({ input: z.number().int(), output: z.number() }),
    count: read({ output: z.number() }),
    applied: read({ output: operations }),
  },
});

/** Works in steps. */
export const job = defineAgent('job', {
  state: z.object({ finished: operations.default([]) }),
  actions: {
    work: task({ input: z.number().int(), output: z.number(), timeout: '1h' }),
    finished: read({ output: operations }),
  },
});

/** Hears of every job, and of some of what is counted. */
export const tally = defineAgent('tally', {
  state: z.object({ entered: operations.default([]) }),
  actions: {
    enter: turn({ input: z.number().int() }),
    entered: read({ output: operations }),
  },
});

/** The steps of a job, in their order. */
export const stepNames = ['fetch', 'weigh', 'store'] as const;

/** Whether a counter tells the tally of an operation. */
export function isTallied(operation: number): boolean {
  return operation % 10 === 0;
}

/** How the agents of one node behave. */
export interface SeriesAgentsOptions {
  /** A file outside Troupe, to which each body of a step writes when it starts and ends. */
  readonly book: string;
  /** How long a body takes. */
  readonly stepMs: number;
}

/** The behaviour of all three. */
export function seriesAgents({ book, stepMs }: SeriesAgentsOptions) {
  const counterAgent = implement(counter, {
    add(ctx, operation) {
      ctx.state.applied.push(operation);
      if (isTallied(operation)) ctx.send(tally, 'main', 'enter', operation);
      return ctx.state.applied.length;
    },
    count: ctx => ctx.state.applied.length,
    applied: ctx => [...ctx.state.applied],
  });
  const jobAgent = implement(job, {
    async work(ctx, operation) {
      for (const name of stepNames) {
        await ctx.step(name, operation, async () => {
          appendFileSync(book, `start ${operation} ${name}\n`);
          await wait(stepMs);
          appendFileSync(book, `end ${operation} ${name}\n`);
        });
      }
      await ctx.update(turn => {
        turn.state.finished.push(operation);
      });
      ctx.send(tally, 'main', 'enter', operation);
      return operation;
    },
    finished: ctx => [...ctx.state.finished],
  });
  const tallyAgent = implement(tally, {
    enter(ctx, operation) {
      ctx.state.entered.push(operation);
    },
    entered: ctx => [...ctx.state.entered],
  });
  return [counterAgent, jobAgent, tallyAgent] as const;
}
