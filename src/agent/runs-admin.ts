/** What people say about runs. */

/** What became of a step that was cut off, as a person found out. */
export type Resolution = { readonly value: unknown } | 'retry' | 'fail';
