/**
 * Versions of NATS servers, as they name themselves. A feature is used only where the version has
 * it; what a pre-release of a version has is not known, so it counts as the one before.
 */

/** The oldest server that runs at all, with one replica. */
export const oldestVersion = '2.9.10';

/** The oldest server on which three replicas keep compare-and-append true. */
export const oldestClusterVersion = '2.10.23';

/** The version in what a server says of itself; nothing when there is none. */
export function versionIn(text: string): string | undefined {
  return /(?<![\d.])(\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[\w.]{1,40})?)/.exec(text)?.[1];
}

/** Whether a version is the floor or newer; what is no version is not. */
export function isAtLeast(version: string, floor: string): boolean {
  const [have, need] = [numbersOf(version), numbersOf(floor)];
  if (have === undefined || need === undefined) return false;
  for (const [index, wanted] of need.entries()) {
    const found = have[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return !version.includes('-') || floor.includes('-');
}

function numbersOf(version: string): readonly number[] | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-|$)/.exec(version);
  return match?.slice(1, 4).map(Number);
}
