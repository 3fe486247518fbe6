/** Large enough that a round trip for each costs little, small enough to hold a few. */
const CHUNK_BYTES = 1 << 20;

/**
 * Joins small pieces into pieces of 1 MiB. Each is valid until the next one is requested: they share one buffer, because
 * collecting a new one for each costs more than copying its bytes.
 */
export async function* gatherChunks(
  source: AsyncIterable<Uint8Array>,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let size = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + chunkBytes - size);
      buffer.set(part, size);
      at += part.length;
      size += part.length;
      if (size < chunkBytes) continue;
      yield buffer;
      size = 0;
    }
  }
  if (size > 0) yield buffer.subarray(0, size);
}

/**
 * Runs `work` for all items, at most `limit` at once. The first failure stops the rest: `signal` notifies those in
 * flight.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const cancel = () => stop.abort();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const queue = items.values();
  const run = async () => {
    for (const item of queue) {
      if (stop.signal.aborted) return;
      await work(item, stop.signal);
    }
  };
  try {
    const runners = Array.from({ length: Math.min(limit, items.length) }, () =>
      run().catch((error: unknown) => {
        const isFirst = !stop.signal.aborted || signal?.aborted === true;
        stop.abort();
        return { error, isFirst };
      }),
    );
    const failures = (await Promise.all(runners)).filter((result) => result !== undefined);
    const first = failures.find(({ isFirst }) => isFirst) ?? failures[0];
    if (first) throw first.error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
