/** How administrative actions are told from those of contracts. */

const dollar = 36;

/** Whether an action is administrative: its name begins with `$`, which no contract allows. */
export function isAdministrative(action: string): boolean {
  return action.charCodeAt(0) === dollar;
}
