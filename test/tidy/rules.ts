/** All tidy rules, in the order in which their complaints are best read. */
import {
  exportsExplained,
  fileNames,
  importExtensions,
  noDefaultExports,
  noMachinePaths,
  onlyTroupeErrors,
  openingComment,
} from './code-rules.ts';
import {
  folderDepth,
  layerOrder,
  noCycles,
  noDeadFiles,
  surfaceOnlyReExports,
} from './layer-rules.ts';
import { errorsOnPage, errorsProvoked, folderSentences, publicLock } from './page-rules.ts';
import { bodyLines, fileLines, lineColumns, parameterCount } from './size-rules.ts';
import type { Rule } from './tree.ts';
import { throughPorts } from './world-rules.ts';

/** The rules. */
export const rules: readonly Rule[] = [
  layerOrder,
  noCycles,
  folderDepth,
  surfaceOnlyReExports,
  noDeadFiles,
  fileNames,
  fileLines,
  lineColumns,
  bodyLines,
  parameterCount,
  openingComment,
  exportsExplained,
  noDefaultExports,
  importExtensions,
  onlyTroupeErrors,
  throughPorts,
  noMachinePaths,
  errorsOnPage,
  errorsProvoked,
  folderSentences,
  publicLock,
];
