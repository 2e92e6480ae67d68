/**
 * Versions of NATS servers, and what of it matters to a client: which options a version knows, and
 * where its replicated streams are broken. Measured on 2.9.10, 2.10.27 and 2.15.1.
 */

/** A version as numbers that can be compared. */
export type NatsVersion = readonly [major: number, minor: number, patch: number];

/** The numbers of a version text. */
export function versionOf(text: string): NatsVersion {
  const [major = 0, minor = 0, patch = 0] = text.split(/[.-]/).map(Number);
  return [major, minor, patch];
}

/** Whether a version is this one or a newer one. */
export function isAtLeast(version: NatsVersion, wanted: string): boolean {
  const [major, minor, patch] = versionOf(wanted);
  if (version[0] !== major) return version[0] > major;
  if (version[1] !== minor) return version[1] > minor;
  return version[2] >= patch;
}

/** Since when a server knows a part of a stream's configuration; all others it knew always. */
export const configSince: Readonly<Record<string, string>> = {
  compression: '2.10.0',
  metadata: '2.10.0',
  first_seq: '2.10.0',
  subject_transform: '2.10.0',
  consumer_limits: '2.10.0',
  allow_msg_ttl: '2.11.0',
  subject_delete_marker_ttl: '2.11.0',
  allow_msg_counter: '2.12.0',
  allow_atomic: '2.12.0',
  allow_msg_schedules: '2.12.0',
  persist_mode: '2.12.0',
};
