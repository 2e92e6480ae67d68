/** Numbers of callers outside agents, with what their receivers make of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outgoing } from '../../../src/delivery/outgoing.ts';
import { admit, consume, type Stream, streamKey } from '../../../src/state/streams.ts';

describe('numbers', () => {
  it('are dense for each receiver, under a floor below which nothing comes again', () => {
    const outgoing = new Outgoing('n');
    expect([outgoing.take('a', 0), outgoing.take('a', 0), outgoing.take('b', 0)]).toEqual([
      1, 2, 1,
    ]);
    outgoing.settle('a', 2, true);
    expect(outgoing.numbering('a', 1)).toEqual({ sender: '~n.0', number: 1, floor: 1 });
    outgoing.settle('a', 1, true);
    outgoing.take('a', 0);
    expect(outgoing.numbering('a', 3)).toEqual({ sender: '~n.0', number: 3, floor: 3 });
  });

  it('name what was given up above the floor, until the floor has passed it', () => {
    const outgoing = new Outgoing('n');
    for (let count = 0; count < 3; count += 1) outgoing.take('a', 0);
    outgoing.settle('a', 2, false);
    expect(outgoing.numbering('a', 3)).toMatchObject({ floor: 1, abandoned: [2] });
    outgoing.settle('a', 1, true);
    expect(outgoing.numbering('a', 3)).toEqual({ sender: '~n.0', number: 3, floor: 3 });
  });

  it('begin under another name towards a receiver that was forgotten', () => {
    const outgoing = new Outgoing('n');
    outgoing.take('a', 0);
    outgoing.settle('a', 1, true);
    outgoing.take('open', 0);
    outgoing.sweep(1);
    outgoing.take('a', 2);
    expect(outgoing.numbering('a', 1).sender).toBe('~n.1');
    expect(outgoing.numbering('open', 1).sender).toBe('~n.0');
  });

  it('let every message run once and in order, whichever are answered, lost or given up', () => {
    const act = fc.tuple(fc.constantFrom('send', 'deliver', 'give-up', 'lose-answer'), fc.nat());
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), acts => {
        const ran = play(acts);
        expect(ran).toEqual([...new Set(ran)].sort((a, b) => a - b));
      }),
    );
  });
});

/** Sends, delivers and gives up; returns the numbers that ran. */
function play(acts: readonly (readonly [act: string, choice: number])[]): number[] {
  const outgoing = new Outgoing('n');
  const streams = new Map<string, Stream>();
  const ran: number[] = [];
  let open: number[] = [];
  for (const [act, choice] of acts) {
    if (act === 'send') open.push(outgoing.take('a', 0));
    const number = open[choice % Math.max(1, open.length)];
    if (number === undefined || act === 'send') continue;
    const isAnswered = act !== 'give-up' && deliver(outgoing, streams, number, ran);
    if (act !== 'give-up' && !(isAnswered && act === 'deliver')) continue;
    open = open.filter(each => each !== number);
    outgoing.settle('a', number, isAnswered);
  }
  return ran;
}

/** Whether the message was answered: it ran now, or had run before. */
function deliver(
  outgoing: Outgoing,
  streams: Map<string, Stream>,
  number: number,
  ran: number[],
): boolean {
  const numbering = outgoing.numbering('a', number);
  const { kind } = admit(streams.get(streamKey(numbering.sender, 1)), numbering);
  if (kind === 'early') return false;
  if (kind === 'run') {
    ran.push(number);
    consume(streams, { ...numbering, lane: 1, reply: null, at: 0 });
  }
  return true;
}
