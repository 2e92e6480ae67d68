/** The laws of the Log port, in the order in which a reader would ask. */
import type { Law } from './laws.ts';
import { logAppendLaws } from './log-append-laws.ts';
import { logHeadLaws } from './log-head-laws.ts';
import { logCloseLaws, logDamageLaws, logReopenLaws, logTrimLaws } from './log-keep-laws.ts';
import type { LogSubject } from './log-law-steps.ts';
import { logModelLaws } from './log-model-law.ts';
import { logReadLaws } from './log-read-laws.ts';

/** What every engine keeps that offers logs. */
export const logLaws: readonly Law<LogSubject>[] = [
  ...logAppendLaws,
  ...logReadLaws,
  ...logTrimLaws,
  ...logHeadLaws,
  ...logReopenLaws,
  ...logDamageLaws,
  ...logCloseLaws,
  ...logModelLaws,
];
