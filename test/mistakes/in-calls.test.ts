/**
 * Mistakes in a call, in behaviour and in values: each is one clear error that names the place and
 * what to do, and the agent, which lies on the disk, goes on as if nothing had been asked.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AgentRef, createTroupe, type Troupe } from '../../src/index.ts';
import { folderOf, type TestFolder } from '../helpers/folder-of.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';
import { account, accountAgent, shutGate } from './accounts.ts';

/** The same reference for those who use no types. */
interface UntypedRef {
  execute(action: string, input?: unknown, options?: object): Promise<unknown>;
  call(action: string, input?: unknown, options?: object): Promise<unknown>;
  signal(name: string, data: unknown): Promise<void>;
  on(event: string, listener: () => void): () => void;
}

describe('mistakes', () => {
  let folder: TestFolder;
  let troupe: Troupe<typeof account>;
  let alice: AgentRef<typeof account>;
  let untyped: UntypedRef;

  async function open(): Promise<void> {
    troupe = createTroupe({ agents: [accountAgent(shutGate())], data: folder.path });
    await troupe.start();
    alice = troupe.agents.get(account, 'alice');
    // What tests of mistakes call does not compile.
    untyped = alice as unknown as UntypedRef;
  }

  beforeAll(async () => {
    folder = folderOf({});
    await open();
    await alice.execute('move', { amount: 10 });
  });
  afterEach(async () => {
    expect(await alice.execute('balance')).toBe(10);
  });
  afterAll(async () => {
    await troupe.stop();
    await open();
    expect(await alice.execute('balance')).toBe(10);
    const events = await Array.fromAsync(alice.events());
    expect(events.map(({ data }) => data)).toEqual([{ amount: 10 }]);
    await troupe.stop();
    folder[Symbol.dispose]();
  });

  it('options that do not exist', async () => {
    const options = { timout: '1s' } as object;
    const calls = [
      () => alice.execute('move', { amount: 1 }, options),
      () => alice.send('move', { amount: 1 }, options),
      () => alice.request('move', { amount: 1 }, options),
      () => alice.call('move', { amount: 1 }, { timeout: '1s', ...options }),
    ];
    for (const call of calls) {
      const error = await mistakeIn(call);
      expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
      expect(error.detail).toMatch(/account\/alice.* has no option "timout"; it has .+/);
    }
  });

  it('unknown type', async () => {
    const error = await mistakeIn(() => troupe.agents.get('acount/alice' as never));
    expect(error).toMatchObject({ code: 'TYPE_NOT_DEFINED', outcome: 'not-executed' });
    expect(error.detail).toBe(
      'there is no agent type "acount" on this node; it knows account; did you mean "account"?',
    );
    const noAddress = await mistakeIn(() => troupe.agents.get('account' as never));
    expect(noAddress).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
    expect(noAddress.detail).toContain('write "type/key"');
  });

  it('unknown action', async () => {
    const error = await mistakeIn(() => untyped.execute('mov', { amount: 1 }));
    expect(error).toMatchObject({ code: 'ACTION_NOT_DEFINED', outcome: 'not-executed' });
    expect(error.detail).toMatch(/^account has no action "mov"; it has move, .*"move"\?$/);
  });

  it('wrong input', async () => {
    const error = await mistakeIn(() => untyped.execute('move', { amount: 'ten' }));
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      outcome: 'not-executed',
      detail: 'account.move: amount: expected number, received string ("ten")',
      data: { issues: [{ path: 'amount' }] },
    });
    const missing = await mistakeIn(() => untyped.execute('move'));
    expect(missing.detail).toBe('account.move: expected object, received undefined');
  });

  it('wrong output', async () => {
    const error = await mistakeIn(() => alice.execute('answerText'));
    expect(error).toMatchObject({
      code: 'OUTPUT_INVALID',
      outcome: 'rolled-back',
      detail: 'account.answerText output: expected number, received string ("much")',
    });
  });

  it('wrong event', async () => {
    const error = await mistakeIn(() => alice.execute('emitText'));
    expect(error).toMatchObject({
      code: 'OUTPUT_INVALID',
      outcome: 'rolled-back',
      detail: 'account event moved: amount: expected number, received string ("much")',
    });
    const unknown = await mistakeIn(() => untyped.on('movd', () => {}));
    expect(unknown).toMatchObject({ code: 'ACTION_NOT_DEFINED', outcome: 'not-executed' });
    expect(unknown.detail).toContain('it has moved; did you mean "moved"?');
  });

  it('wrong state', async () => {
    const error = await mistakeIn(() => alice.execute('putText'));
    expect(error).toMatchObject({ code: 'OUTPUT_INVALID', outcome: 'rolled-back' });
    expect(error.detail).toBe(
      'account/alice state after the turn: balance: expected number, received string ("much")',
    );
  });

  it('wrong signal', async () => {
    const wrong = await mistakeIn(() => untyped.signal('approve', { by: 7 }));
    expect(wrong).toMatchObject({
      code: 'INVALID_INPUT',
      outcome: 'not-executed',
      detail: 'account signal approve: by: expected string, received number (7)',
    });
    const unknown = await mistakeIn(() => untyped.signal('aprove', { by: 'eve' }));
    expect(unknown).toMatchObject({ code: 'ACTION_NOT_DEFINED', outcome: 'not-executed' });
    expect(unknown.detail).toContain('it has approve; did you mean "approve"?');
  });

  it('call without a timeout', async () => {
    for (const options of [undefined, {}]) {
      const error = await mistakeIn(() => untyped.call('move', { amount: 1 }, options));
      expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
      expect(error.detail).toBe(
        'account/alice.move: call needs { timeout }; execute has a default',
      );
    }
    const noDuration = await mistakeIn(() =>
      untyped.call('move', { amount: 1 }, { timeout: '2 seconds' }),
    );
    expect(noDuration).toMatchObject({ code: 'CONFIG_INVALID', outcome: 'not-executed' });
    expect(noDuration.detail).toContain('write milliseconds, or a number with ms, s, m, h or d');
  });

  it('a value that cannot be sent or stored', async () => {
    const input = await mistakeIn(() => untyped.execute('keep', { rows: [1, { print() {} }] }));
    expect(input).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      outcome: 'not-executed',
      detail: 'account.keep: input.rows[1].print is a function; send plain data instead',
    });
    const output = await mistakeIn(() => alice.execute('returnFunction'));
    expect(output).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      outcome: 'rolled-back',
      detail: 'account.returnFunction output.rows[0].toText is a function; send plain data instead',
    });
    const state = await mistakeIn(() => alice.execute('putFunction'));
    expect(state).toMatchObject({ code: 'NOT_SERIALIZABLE', outcome: 'rolled-back' });
    expect(state.detail).toContain('account/alice.notes[0].toText is a function');
    const step = await mistakeIn(() => alice.execute('stepOnFunction'));
    expect(step.code).toBe('NOT_SERIALIZABLE');
    expect(step.detail).toContain('input of step "print".rows[0] is a function');
  });

  it('a value that is too large', async () => {
    const input = await mistakeIn(() => untyped.execute('keep', 'x'.repeat(20_000)));
    expect(input).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', outcome: 'not-executed' });
    expect(input.detail).toMatch(/account.*keep.*10000.*limits\.payloadBytesMax/);
    const step = await mistakeIn(() => alice.execute('largeStep'));
    expect(step.code).toBe('PAYLOAD_TOO_LARGE');
    expect(step.detail).toMatch(/account\/alice.*limits\.(payload|state)BytesMax/);
  });

  it('a state that is too large', async () => {
    const bob = troupe.agents.get(account, 'bob');
    await bob.execute('grow', 30_000);
    const error = await mistakeIn(() => bob.execute('grow', 30_000));
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', outcome: 'rolled-back' });
    expect(error.detail).toMatch(/account\/bob.*50000.*limits\.stateBytesMax/);
    expect(await bob.execute('move', { amount: 1 })).toBe(1);
  });

  it('changing the state in a read or a task', async () => {
    for (const action of ['changeInRead', 'changeInTask'] as const) {
      const error = await mistakeIn(() => alice.execute(action));
      expect(error.code).toBe('STATE_READ_ONLY');
      expect(error.detail).toBe(
        'account/alice.balance is read-only here; change state in a turn, or with ctx.update(turn => …) in a task',
      );
    }
  });

  it('awaiting the turn of another agent in a turn', async () => {
    const error = await mistakeIn(() => alice.execute('awaitTurn'));
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      outcome: 'rolled-back',
      detail:
        'account/alice.awaitTurn may await reads only, and account.move is none; use ctx.send, or do it in a task',
    });
    expect(await troupe.agents.get(account, 'bob').execute('balance')).not.toBe(99);
  });

  it('a step name that is used twice at once', async () => {
    const error = await mistakeIn(() => alice.execute('sameStepTwice'));
    expect(error.code).toBe('INVALID_INPUT');
    expect(error.detail).toContain('"pay" is going on already; give each its own key');
  });

  it('a key that is used for something else', async () => {
    const options = { idempotencyKey: 'once' };
    await alice.execute('keep', 1, options);
    const error = await mistakeIn(() => alice.execute('keep', 2, options));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', outcome: 'not-executed' });
    expect(error.detail).toContain('"once" of account/alice was used for another action or input');
  });

  it('a node that has not started, or has stopped', async () => {
    const other = createTroupe({ agents: [accountAgent(shutGate())] });
    const early = await mistakeIn(() => other.agents.get(account, 'alice').execute('balance'));
    expect(early).toMatchObject({ code: 'NOT_STARTED', outcome: 'not-executed' });
    expect(early.detail).toContain('await troupe.start() first');
    await other.stop();
    const late = await mistakeIn(() => other.start());
    expect(late).toMatchObject({ code: 'NOT_STARTED', outcome: 'not-executed' });
    expect(late.detail).toContain('make a new one');
    const ended = createTroupe({ agents: [accountAgent(shutGate())] });
    await ended.start();
    await ended.stop();
    expect(await mistakeIn(() => ended.start())).toMatchObject({ code: 'NOT_STARTED' });
  });
});
