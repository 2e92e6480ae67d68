/**
 * The public test kit, `troupe/testing`: the laws of every port, the memory engines with their
 * switches, the simulator with its faults, histories and the checks that
 * judge them. What it stands on is in the files named here, one idea each.
 */

export { MemoryBlobs, memoryBlobs } from '../engines/memory/blob.ts';
export { MemoryBuses, memoryBuses } from '../engines/memory/bus.ts';
export {
  type DrawnFault,
  type LateLanding,
  MemoryFaults,
  type NextFault,
  type ReadFault,
  type WriteFault,
} from '../engines/memory/faults.ts';
export {
  type MemoryKeyValueOptions,
  MemoryKeyValues,
  memoryKeyValues,
} from '../engines/memory/key-value.ts';
export { type MemoryLinkOptions, MemoryLinks, memoryLinks } from '../engines/memory/link.ts';
export { type MemoryLogOptions, MemoryLogs, memoryLogs } from '../engines/memory/log.ts';
export { type BlobSubject, blobLaws } from './blob-laws.ts';
export { busLaws } from './bus-laws.ts';
export type { BusSubject } from './bus-subject.ts';
export { checkEnded, type EndedLimits } from './check-ended.ts';
export { checkFold, type FoldHistory, type SequentialModel } from './check-fold.ts';
export {
  type AcknowledgedHistory,
  checkAcknowledged,
  checkChains,
  checkDurableFirst,
  checkLogs,
  type DurabilityHistory,
  type FinalRecord,
} from './check-log.ts';
export { checkOnce, type OnceHistory } from './check-once.ts';
export { type Consumption, checkOrder, numberKey, type OrderHistory } from './check-order.ts';
export { checkSteps, type StepEvent, type StepHistory } from './check-steps.ts';
export { checkTimers, type TimerHistory, type TimerLimits } from './check-timers.ts';
export { checkVersions } from './check-versions.ts';
export { checkRun, type RunHistory } from './checkers.ts';
export { type ClockSubject, clockLaws } from './clock-laws.ts';
export type { DiskSubject } from './disk-law-steps.ts';
export { diskLaws } from './disk-laws.ts';
export {
  type AnsweredOperation,
  answered,
  describeOperation,
  HistoryRecorder,
  type Operation,
  type OperationStart,
  type OperationStatus,
  type Stamp,
  type Violation,
} from './history.ts';
export { keyValueLaws } from './key-value-laws.ts';
export type { KeyValueSubject } from './key-value-subject.ts';
export {
  checkLaw,
  checkLaws,
  type Law,
  type LawException,
  type LawResult,
  type LawSuite,
} from './laws.ts';
export {
  checkBySearch,
  type SearchOptions,
  type SearchVerdict,
  searchOrder,
} from './linear-search.ts';
export { linkLaws } from './link-laws.ts';
export type { LinkSubject } from './link-subject.ts';
export type { LogSubject } from './log-law-steps.ts';
export { logLaws } from './log-laws.ts';
export { type RandomSubject, randomLaws } from './random-laws.ts';
export { type SimMachineClock, type SimMachineClockOptions, simEpochMs } from './sim-clock.ts';
export type { SimDamage, SimDevice, SimDiskFault, SimDiskOperation } from './sim-device.ts';
export type { SimOwner } from './sim-event-heap.ts';
export type { FaultBoundary, FaultPointCount, FaultPointHook } from './sim-fault-points.ts';
export {
  applyFault,
  drawFaults,
  drawSwarm,
  heal,
  type SimFault,
  type SimFaultKind,
  type SimFaultPlan,
  scheduleFaults,
  simFaultKinds,
} from './sim-faults.ts';
export type {
  SimBoot,
  SimCrashKind,
  SimPorts,
  SimProcess,
  SimProgram,
} from './sim-process.ts';
export { createStreams, SimRandom, type SimStreams } from './sim-random.ts';
export {
  addReports,
  coverageGaps,
  coverageLines,
  emptyReport,
  faultsFired,
  jobsFor,
  reportWorld,
  runSeeds,
  type SeedViolation,
  type SimJob,
  type SimOutcome,
  type SimReport,
  type SimRunnerOptions,
  type SimScenario,
  type SimScenarioOptions,
  summaryLine,
} from './sim-runner.ts';
export type { SimEventRequest, SimRunOptions, SimScheduler } from './sim-scheduler.ts';
export { formatTraceLine, type SimTrace, type SimTraceLine } from './sim-trace.ts';
export { installTrap, outsideTrap, type SimTrap } from './sim-trap.ts';
export { type SimProcessSpec, SimWorld, type SimWorldOptions } from './sim-world.ts';
export { type SimulatedWorld, type SimulateOptions, simulate } from './simulate.ts';
export type { TestClient } from './test-client.ts';
export type { TestEngine } from './test-life.ts';
export type { LoggedEntry } from './test-logger.ts';
export type { TestRecord } from './test-records.ts';
export {
  createTestTroupe,
  type TestFaults,
  type TestTroupe,
  type TestTroupeOptions,
} from './test-troupe.ts';
