/** A turn on a draft, as short as it gets. */
import { expect } from 'vitest';
import { openDraft } from '../../src/state/draft.ts';
import { fingerprint } from './same-value.ts';

/** Changes a base through a draft, and checks that the base stayed as it was. */
export function turn<T>(base: T, handler: (state: T) => void): T {
  const before = fingerprint(base);
  const draft = openDraft(base, 'account/alice.move: state');
  handler(draft.state);
  const next = draft.close();
  expect(fingerprint(base)).toBe(before);
  return next;
}
