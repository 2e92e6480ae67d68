/** What is known at the end of a simulated world: its true logs, and what was seen from outside. */
import type { EndedLimits } from './check-ended.ts';
import type { Operation } from './history.ts';
import type { CallerDiary } from './sim-troupe-callers.ts';
import type { Notebook } from './sim-troupe-notes.ts';
import type { TrueLog } from './sim-troupe-truth.ts';

/** What is known at the end of a world. */
export interface TroupeHistory {
  readonly logs: readonly TrueLog[];
  readonly operations: readonly Operation[];
  readonly diary: CallerDiary;
  readonly notebook: Notebook;
  readonly limits: EndedLimits;
  /** Whether an agent without a log may leave memory before its process ends. */
  readonly mayForget: boolean;
  /** The wall clock of the node at the end. */
  readonly wallMs: number;
}
