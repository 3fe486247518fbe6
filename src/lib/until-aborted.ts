import { HealthctlError } from './errors.ts';

/**
 * The items of a source until the signal fires, also while the source sends nothing.
 *
 * @param message of the error then
 * @throws ABORTED, and what the source throws
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
  message: string,
): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]();
  let stop = (): void => undefined;
  const onAbort = (): void => stop();
  signal?.addEventListener('abort', onAbort, { once: true });
  const next = (): Promise<IteratorResult<T>> =>
    new Promise((resolve, reject) => {
      stop = () => reject(new HealthctlError('ABORTED', message));
      if (signal?.aborted) stop();
      else items.next().then(resolve, reject);
    });
  try {
    for (let item = await next(); !item.done; item = await next()) yield item.value;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    const returned = Promise.resolve(items.return?.());
    // A generator that waits for its own source returns only when that sends: the error does not wait for it.
    if (signal?.aborted) returned.catch(() => undefined);
    else await returned;
  }
}
