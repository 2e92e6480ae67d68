/** Which agents stay ready to run when more come than may. */
import { describe, expect, it } from 'vitest';
import { HotList, type Restable } from '../../../src/mailbox/hot-list.ts';

class Agent implements Restable {
  wasUsed = false;
  hotPlace = -1;
  isActive = true;
  isBusy = false;

  rest(): boolean {
    if (this.isBusy || !this.isActive) return false;
    this.isActive = false;
    return true;
  }
}

const newMax = 256;

/** A list that keeps `count`, all of which were used while they were new. */
function listOf(count: number): { list: HotList<Agent>; kept: Agent[] } {
  const list = new HotList<Agent>(count);
  const kept = Array.from({ length: count }, () => new Agent());
  for (const agent of kept) {
    list.add(agent);
    agent.wasUsed = true;
  }
  pass(list, newMax);
  for (const agent of kept) agent.wasUsed = false;
  return { list, kept };
}

/** Adds agents that are not used again. */
function pass(list: HotList<Agent>, count: number): Agent[] {
  const agents = Array.from({ length: count }, () => new Agent());
  for (const agent of agents) list.add(agent);
  return agents;
}

/** Adds an agent that is used, until it is no more new. */
function come(list: HotList<Agent>): Agent {
  const agent = new Agent();
  list.add(agent);
  agent.wasUsed = true;
  pass(list, newMax);
  return agent;
}

describe('the list of agents that are ready to run', () => {
  it('lets those rest that are called once, and keeps the others for it', () => {
    const { list, kept } = listOf(4);
    const once = pass(list, 1_000);
    expect(once.filter(agent => agent.isActive)).toEqual(once.slice(-newMax));
    expect(kept.every(agent => agent.isActive)).toBe(true);
  });

  it('gives the place of one that was not used since to one that was', () => {
    const { list, kept } = listOf(4);
    for (const agent of kept) agent.wasUsed = agent !== kept[2];
    const agent = come(list);
    expect(kept.map(each => each.isActive)).toEqual([true, true, false, true]);
    expect([agent.isActive, agent.hotPlace, kept[2]?.hotPlace]).toEqual([true, 2, -1]);
  });

  it('comes round to those that were used once and not again', () => {
    const { list, kept } = listOf(4);
    for (const agent of kept) agent.wasUsed = true;
    for (let count = 0; count < 6; count += 1) come(list);
    expect(kept.some(agent => agent.isActive)).toBe(false);
  });

  it('grows while nobody may rest, and not with an agent that it has', () => {
    const { list, kept } = listOf(3);
    for (const agent of kept) agent.isBusy = true;
    const agent = come(list);
    for (const each of kept) list.add(each);
    expect(agent.hotPlace).toBe(3);
    expect(kept.map(each => each.hotPlace)).toEqual([0, 1, 2]);
  });

  it('takes the place of one whose activation has ended', () => {
    const { list, kept } = listOf(2);
    for (const agent of kept) agent.wasUsed = true;
    (kept[1] as Agent).isActive = false;
    expect(come(list).hotPlace).toBe(1);
  });

  it('forgets whom it is told to, and lets the idle rest', () => {
    const { list, kept } = listOf(5);
    const [first, second, , , last] = kept as [Agent, Agent, Agent, Agent, Agent];
    list.remove(first);
    list.remove(first);
    list.remove(last);
    const [fresh] = pass(list, 1);
    list.restAll(agent => agent !== second);
    expect(kept.filter(agent => agent.hotPlace >= 0)).toEqual([second]);
    expect(fresh?.isActive).toBe(false);
    list.clear();
    expect(second.hotPlace).toBe(-1);
  });
});
