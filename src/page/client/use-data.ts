import { useEffect, useRef, useState } from 'preact/hooks';
import { getData } from './api.ts';
import { clock } from './clock.ts';
import { failureOf } from './use-monitor.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  /** A text for the user; empty if all is well. */
  readonly error: string;
}

/**
 * The answer to a path; asked for again when the version has changed, at most every `everyMs`.
 *
 * @param path undefined: nothing is asked
 */
export function useData<T>(path: string | undefined, version: number, everyMs: number): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: undefined, error: '' });
  const last = useRef({ path, askedMs: 0 });
  // Not the value of the version: that it has changed says to ask again.
  useEffect(() => {
    if (path === undefined) return undefined;
    const over = new AbortController();
    const load = (): void => {
      last.current = { path, askedMs: clock.now() };
      getData<T>(path, over.signal).then(
        (value) => setLoaded({ value, error: '' }),
        (error: unknown) => {
          if (!over.signal.aborted) setLoaded((before) => ({ ...before, error: failureOf(error).error }));
        },
      );
    };
    const waitMs = last.current.path === path ? last.current.askedMs + everyMs - clock.now() : 0;
    const cancel = clock.after(Math.max(0, waitMs), load);
    return () => {
      cancel();
      over.abort();
    };
  }, [path, version, everyMs]);
  return loaded;
}
