/** The outside world of the example: a bank that honours idempotency keys, as real ones do. */

const receipts = new Map<string, string>();

/** Transfers an amount once per key, and gives the receipt. */
export async function transfer(
  amount: number,
  idempotencyKey: string,
  abortSignal: AbortSignal,
): Promise<string> {
  abortSignal.throwIfAborted();
  const known = receipts.get(idempotencyKey);
  if (known !== undefined) return known;
  const receipt = `receipt ${receipts.size + 1} for ${amount}`;
  receipts.set(idempotencyKey, receipt);
  return receipt;
}
