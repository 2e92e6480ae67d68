/**
 * Changes of values as plain data: what a turn's record holds of the state. `diff` finds them,
 * `applyPatch` repeats them, and `patch-format.ts` says what they look like.
 */
export { applyPatch } from './patch-apply.ts';
export { diff } from './patch-diff.ts';
export type { Patch } from './patch-format.ts';
