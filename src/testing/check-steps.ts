/**
 * Steps of tasks: a step whose outcome is recorded never runs again, nothing that awaited an
 * outcome starts before it is recorded, and a step is repeated only after it was cut off.
 */
import { groupBy, type Violation } from './history.ts';

/**
 * Something that happened to a step, in the order of the recorder: its body began or ended, its
 * outcome was recorded, or something that awaited it began or was answered.
 */
export interface StepEvent {
  readonly kind: 'started' | 'ended' | 'recorded' | 'used';
  readonly run: string;
  readonly step: string;
  readonly order: number;
  /** The life of the process it happened in. */
  readonly incarnation: string;
  /**
   * Whether that life had lost its place to another one without having noticed: it may still begin
   * what nobody needs any more.
   */
  readonly isOutdated?: boolean | undefined;
}

/** What a check of steps looks at. */
export interface StepHistory {
  readonly events: readonly StepEvent[];
  /** How often one life may run the body of a step: its retry policy (default 1). */
  readonly attemptsMax?: ((event: StepEvent) => number) | undefined;
}

/** Checks that no step ran more often than it may, nor out of its place. */
export function checkSteps(history: StepHistory): Violation[] {
  const violations: Violation[] = [];
  for (const [name, events] of groupBy(history.events, each => `${each.run} ${each.step}`)) {
    const byOrder = events.toSorted((left, right) => left.order - right.order);
    const report = (message: string) => {
      violations.push({ check: 'steps', message: `${name}: ${message}` });
    };
    // What an outdated life begins late may long have been answered by a policy.
    const mayBeginLate = byOrder.some(({ isOutdated }) => isOutdated === true);
    const life: StepLife = { isRecorded: false, isUsed: false, mayBeginLate, starts: new Map() };
    for (const event of byOrder) judge(event, life, { report, history });
  }
  return violations;
}

interface StepLife {
  isRecorded: boolean;
  isUsed: boolean;
  readonly mayBeginLate: boolean;
  readonly starts: Map<string, number>;
}

interface Bench {
  readonly report: (message: string) => void;
  readonly history: StepHistory;
}

function judge(event: StepEvent, life: StepLife, { report, history }: Bench): void {
  const at = `in ${event.incarnation} at ${event.order}`;
  if (event.kind === 'started') {
    const why = whyNotAgain(event, life, history);
    if (why !== undefined && event.isOutdated !== true) report(`ran ${at} though ${why}`);
  } else if (event.kind === 'recorded') {
    if (life.starts.size === 0 && !life.mayBeginLate)
      report(`has an outcome ${at} before it ever ran`);
    life.isRecorded = true;
  } else if (event.kind === 'used') {
    if (!life.isRecorded) report(`was used ${at} before its outcome was recorded`);
    life.isUsed = true;
  }
}

function whyNotAgain(event: StepEvent, life: StepLife, history: StepHistory): string | undefined {
  const starts = (life.starts.get(event.incarnation) ?? 0) + 1;
  life.starts.set(event.incarnation, starts);
  if (life.isRecorded) return 'its outcome was recorded';
  if (life.isUsed) return 'something had used its outcome';
  const allowed = history.attemptsMax?.(event) ?? 1;
  return starts > allowed ? `this was start ${starts} of ${allowed}` : undefined;
}
