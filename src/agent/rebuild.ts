/** Folding the whole kept history of an agent anew, to compare what comes of it with what lives. */
import { TroupeError } from '../core/errors.ts';
import { equalValues } from '../core/value-equality.ts';
import type { LogSlice } from '../ports/log.ts';
import type { AgentImage } from '../state/agent-image.ts';
import { beginLineage, emptyImage } from '../state/image.ts';
import type { Committer } from './commit.ts';
import { Fold } from './fold.ts';
import type { Rebuilt } from './history-types.ts';
import type { LiveAgent } from './live-agent.ts';

/** So often the end of the log is looked for, while other records of the agent are still made. */
const attemptsMax = 100;

/**
 * Folds all kept records and compares the result with the agent in memory. If both agree, a fresh
 * snapshot is recorded; if not, nothing is, so that no evidence is lost.
 *
 * @throws `LOG_CORRUPT` when the chain of records is broken.
 */
export async function rebuild(agent: LiveAgent): Promise<Rebuilt> {
  const { committer, address, host } = agent;
  if (committer === undefined) return { version: agent.position.version, matches: true };
  const fold = new Fold(address, emptyImage('', host.epoch, 0), host.retention);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    await accepted(committer);
    let slice: LogSlice;
    do {
      slice = await host.log.read(address, { after: fold.tail });
      fold.addAll(slice);
    } while (!slice.isComplete && slice.records.length > 0);
    if (committer.pendingCount === 0 && fold.tail === committer.tail) {
      const { newLineage } = committer;
      if (newLineage !== undefined) beginLineage(fold.image, newLineage);
      return compared(agent, committer, fold.image);
    }
  }
  throw new TroupeError('OVERLOADED', {
    detail: `${address} is written so often that its history cannot be compared; retry later`,
    outcome: 'rolled-back',
  });
}

function compared(agent: LiveAgent, committer: Committer, folded: AgentImage): Rebuilt {
  const { version } = committer.image;
  const matches = isSame(committer, folded);
  if (!matches) {
    agent.logger.error('the agent in memory differs from its history; nothing was recorded', {
      code: 'INVARIANT_BROKEN',
      version,
    });
  } else if (version > 0) committer.snapshot();
  return { version, matches };
}

const parts = ['keys', 'outbox', 'numbers', 'inbox', 'timers', 'runs', 'signals', 'dead'] as const;

/** Streams are left out: numbers of messages that threw are noted in memory alone. */
function isSame(committer: Committer, folded: AgentImage): boolean {
  const { image } = committer;
  if (image.version !== folded.version || image.hasState !== folded.hasState) return false;
  const isComparable = image.hasState && !committer.needsWhole;
  if (isComparable && !equalValues(image.state, folded.state)) return false;
  return parts.every(part => equalValues(entriesOf(image[part]), entriesOf(folded[part])));
}

/** A part that was never needed equals one that is empty. */
function entriesOf(part: AgentImage[(typeof parts)[number]]): readonly unknown[] {
  return part === undefined ? [] : [...part];
}

function accepted(committer: Committer): Promise<void> {
  return new Promise((resolve, reject) => {
    committer.whenAccepted({ accepted: resolve, failed: reject });
  });
}
