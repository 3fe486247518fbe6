import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../lib/clock.ts';
import { flushKeys, type Key, keysIn } from './keys.ts';

/** After an escape character, the rest of a sequence comes within this time, also over a slow line. */
const ESCAPE_MS = 50;

/**
 * Calls `onKey` for each key of a terminal in raw mode.
 *
 * @param on.onEnd called when the terminal is gone
 * @returns a function that ends this
 */
export function listenToKeys(
  stdin: NodeJS.ReadStream,
  on: { readonly clock: Pick<Clock, 'after'>; readonly onKey: (key: Key) => void; readonly onEnd: () => void },
): () => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let timer: { cancel(): void } | undefined;
  const pass = (found: { readonly keys: readonly Key[]; readonly rest: string }): void => {
    rest = found.rest;
    for (const key of found.keys) on.onKey(key);
  };
  const take = (chunk: Buffer): void => {
    timer?.cancel();
    pass(keysIn(rest + decoder.write(chunk)));
    if (rest !== '') timer = on.clock.after(ESCAPE_MS, () => pass(flushKeys(rest)));
  };
  stdin.on('data', take);
  stdin.on('end', on.onEnd);
  stdin.on('error', on.onEnd);
  return () => {
    timer?.cancel();
    stdin.off('data', take);
    stdin.off('end', on.onEnd);
    stdin.off('error', on.onEnd);
    stdin.pause();
  };
}
