/** Something that is closed and opened again on the same store, as a restart does. */

interface Closable {
  close(): Promise<void>;
}

/** The first handle, a way to get the next one, and an end for all of them. */
export interface Reopenable<Handle> extends AsyncDisposable {
  readonly first: Handle;
  reopen(): Promise<Handle>;
}

/** Opens a first handle; `dispose` clears up what they all stand on. */
export async function reopenable<Handle extends Closable>(
  open: () => Promise<Handle>,
  dispose: () => Promise<void> = async () => undefined,
): Promise<Reopenable<Handle>> {
  const first = await open();
  let current = first;
  return {
    first,
    async reopen() {
      await current.close();
      current = await open();
      return current;
    },
    async [Symbol.asyncDispose]() {
      await current.close();
      await dispose();
    },
  };
}
