/** Does something with each item of a list, a bounded number of them at once. */

/** Resolves when all are done; the first failure lets no further one begin, and is thrown. */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnceMax: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  let isFailed = false;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined && !isFailed; item = items[next++]) {
      await work(item).catch(error => {
        isFailed = true;
        throw error;
      });
    }
  };
  const workers = Array.from({ length: Math.min(atOnceMax, items.length) }, worker);
  await Promise.all(workers);
}
