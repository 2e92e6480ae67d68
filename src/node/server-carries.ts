/** What a NATS server can carry, by its version: as the engine decides when a node starts. */
import { isAtLeast, oldestClusterVersion, oldestVersion } from '../engines/nats/server-version.ts';

/** What a version is good for. */
export interface ServerCarries {
  /** The oldest version that keeps so many copies. */
  readonly floor: string;
  /** Whether a node works with it. */
  readonly isFit: boolean;
  /** Whether nothing newer is asked for. */
  readonly isRecommended: boolean;
  /** Whether it can be told to flush before it acknowledges. */
  readonly canFlush: boolean;
}

/** From here on servers can be told to flush before they acknowledge. */
const flushVersion = '2.10.0';
/** Copies were often found to differ before. */
const recommendedVersion = '2.11.0';

/** What a server of this version carries, where everything is kept on so many of them. */
export function carriedBy(version: string, replicas: number): ServerCarries {
  const floor = replicas > 1 ? oldestClusterVersion : oldestVersion;
  return {
    floor,
    isFit: isAtLeast(version, floor),
    isRecommended: isAtLeast(version, replicas > 1 ? recommendedVersion : flushVersion),
    canFlush: isAtLeast(version, flushVersion),
  };
}
