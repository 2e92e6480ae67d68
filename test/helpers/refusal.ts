/** What an act throws, for tests of refusals. */

/** The message of what an act throws. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
