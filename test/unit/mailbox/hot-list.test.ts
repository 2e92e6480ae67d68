/** Which agents stay ready to run when more come than may. */
import { describe, expect, it } from 'vitest';
import { HotList, type Restable } from '../../../src/mailbox/hot-list.ts';

class Agent implements Restable {
  wasUsed = false;
  hotPlace = -1;
  isBusy = false;
  isResting = false;

  rest(): boolean {
    this.isResting = !this.isBusy;
    return this.isResting;
  }
}

function listOf(count: number): { list: HotList<Agent>; agents: Agent[] } {
  const list = new HotList<Agent>(count);
  const agents = Array.from({ length: count }, () => new Agent());
  for (const agent of agents) list.add(agent);
  return { list, agents };
}

describe('the list of agents that are ready to run', () => {
  it('lets an agent rest for one that comes, and keeps those that were used since', () => {
    const { list, agents } = listOf(4);
    for (const agent of agents) agent.wasUsed = agent !== agents[2];
    list.add(new Agent());
    expect(agents.map(agent => agent.isResting)).toEqual([false, false, true, false]);
    expect(agents[2]?.hotPlace).toBe(-1);
    expect(list.length).toBe(4);
  });

  it('comes round to those that were used once and not again', () => {
    const { list, agents } = listOf(4);
    for (const agent of agents) agent.wasUsed = true;
    for (let count = 0; count < 6; count += 1) list.add(new Agent());
    expect(agents.every(agent => agent.isResting)).toBe(true);
  });

  it('grows while nobody may rest, and not with an agent that it has', () => {
    const { list, agents } = listOf(3);
    for (const agent of agents) agent.isBusy = true;
    list.add(new Agent());
    for (const agent of agents) list.add(agent);
    expect(list.length).toBe(4);
    expect(agents.some(agent => agent.isResting)).toBe(false);
  });

  it('forgets whom it is told to, and only them', () => {
    const { list, agents } = listOf(5);
    const [first, , , , last] = agents as [Agent, Agent, Agent, Agent, Agent];
    list.remove(first);
    list.remove(first);
    list.remove(last);
    expect(list.length).toBe(3);
    list.restAll(agent => agent !== agents[1]);
    expect(agents.filter(agent => agent.hotPlace >= 0)).toEqual([agents[1]]);
    list.clear();
    expect(agents[1]?.hotPlace).toBe(-1);
  });
});
