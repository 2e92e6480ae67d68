/** What the parts of an open store share. */
import type { TroupeError } from '../../core/errors.ts';
import type { IndexTable } from './index-table.ts';
import type { Meta } from './meta.ts';
import type { StoreContext } from './options.ts';
import type { Segments } from './segments.ts';

/** The shared state of an open store. */
export interface StoreState {
  readonly context: StoreContext;
  readonly meta: Meta;
  readonly index: IndexTable;
  readonly segments: Segments;
  /** The logs in which damage was found, by row. */
  readonly damaged: Map<number, TroupeError>;
}
