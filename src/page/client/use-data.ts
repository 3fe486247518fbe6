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
  const asking = useRef(new AbortController());
  // Another path ends what was asked; another version does not: an answer that is slower than the results would never come.
  useEffect(() => {
    const over = new AbortController();
    asking.current = over;
    return () => over.abort();
  }, [path]);
  // Not the value of the version: that it has changed says to ask again.
  useEffect(() => {
    if (path === undefined) return undefined;
    const { signal } = asking.current;
    const load = (): void => {
      last.current = { path, askedMs: clock.now() };
      getData<T>(path, signal).then(
        (value) => setLoaded({ value, error: '' }),
        (error: unknown) => {
          if (!signal.aborted) setLoaded((before) => ({ ...before, error: failureOf(error).error }));
        },
      );
    };
    const waitMs = last.current.path === path ? last.current.askedMs + everyMs - clock.now() : 0;
    return clock.after(Math.max(0, waitMs), load);
  }, [path, version, everyMs]);
  return loaded;
}
