/** The version of this package, from the package.json beside `src` and `dist`. */
import { readFileSync } from 'node:fs';

let version: string | undefined;

/** The version of this package. */
export function packageVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const path = new URL('../../package.json', import.meta.url);
  // Our own file: npm refuses to pack one without a version.
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}
