/** Ties the life of a program to that of the process that starts it. */
import { existsSync } from 'node:fs';

const setpriv = '/usr/bin/setpriv';

/**
 * What the command of a program begins with that is to be killed when its parent dies, even by
 * kill −9; nothing where the system does not offer it.
 */
export function lifeline(): readonly string[] {
  return existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
}
