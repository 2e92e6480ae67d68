/**
 * What clients of the modelled servers meet without a fault of their own: counted where it happens,
 * so that a set of runs can show that it met each. A world that never does proves little.
 */

/** Everything that is counted. */
export const natsMeetings = [
  /** A stream, or the cluster, has got another leader. */
  'election',
  /** A read was answered by a leader that another one has gone beyond. */
  'old-leader-read',
  /** A write was taken by a leader that another one has gone beyond: it will come to nothing. */
  'old-leader-write',
  /** A write was stored when whoever sent it had given up. */
  'late-landing',
  /** A direct get was answered by a replica that lacks what its leader has. */
  'lagging-read',
  /** A message arrived more than a second after it was sent. */
  'late-message',
  /** A client lost its connection, and has another one. */
  'reconnect',
  /** "wrong last sequence: N". */
  '10071',
  /** "wrong last sequence". */
  '10164',
  /** "duplicate message id is in process". */
  '10158',
  /** "temporarily unavailable". */
  '10008',
  /** Nobody takes a write. */
  '503',
] as const;

/** Something that is counted. */
export type NatsMeeting = (typeof natsMeetings)[number];

const codes: ReadonlySet<string> = new Set(['10071', '10164', '10158']);

/** The counter of an error code, if it has one. */
export function meetingOfCode(code: number): NatsMeeting | undefined {
  // The set holds names of counters only.
  return codes.has(`${code}`) ? (`${code}` as NatsMeeting) : undefined;
}
