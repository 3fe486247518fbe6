import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { HostAnswer, OverviewAnswer, RangeName, UpdateMessage } from '../wire.ts';
import { getData, overviewPath, TokenNeeded } from './api.ts';
import { clock } from './clock.ts';
import { merged, type StatusChange } from './merge.ts';
import { follow } from './stream.ts';

export interface MonitorState {
  readonly overview: OverviewAnswer | undefined;
  readonly host: HostAnswer | undefined;
  readonly isLive: boolean;
  /** A text for the user; empty if all is well. */
  readonly error: string;
  /** Why the monitor wants a token: empty at first. Undefined if it wants none. */
  readonly login: string | undefined;
  /** The last change of a status. */
  readonly lastChange: StatusChange | undefined;
  /** Counts the results and changes of each container: what depends on them is asked for again. */
  readonly versions: ReadonlyMap<string, number>;
  /** Asks for everything again, with a new token. */
  readonly restart: () => void;
}

const EMPTY = {
  ...{ overview: undefined, host: undefined, isLive: false, error: '', login: undefined, lastChange: undefined },
  versions: new Map<string, number>(),
} as const satisfies Omit<MonitorState, 'restart'>;

/** Bars of other ranges than the live one age. */
const REFRESH_MS = 60_000;
/** Longer than readers share an answer of 90 minutes: see MAX_AGE_MS in src/page/page.ts. */
const RELOAD_MS = 6_000;

/** What the monitor says, kept up to date. */
export function useMonitor(range: RangeName): MonitorState {
  const [state, setState] = useState<Omit<MonitorState, 'restart'>>(EMPTY);
  const [attempt, setAttempt] = useState(0);
  const load = useOverview(range, attempt, setState);
  useEffect(() => {
    const over = new AbortController();
    let cancel: (() => void) | undefined;
    /** Not put off by what comes meanwhile: something always does. */
    const loadSoon = (): void => {
      cancel ??= clock.after(RELOAD_MS, () => {
        cancel = undefined;
        load();
      });
    };
    void follow(
      {
        onOpen: () => {
          load();
          setState((before) => ({ ...before, isLive: true }));
        },
        onHost: (host) => setState((before) => ({ ...before, host })),
        onUpdate: (message) => setState((before) => withMessage(before, message, loadSoon)),
        onLost: () => setState((before) => ({ ...before, isLive: false })),
        onTokenNeeded: (login) => setState((before) => ({ ...before, isLive: false, login })),
      },
      over.signal,
    );
    return () => {
      cancel?.();
      over.abort();
    };
  }, [load]);
  return {
    ...state,
    restart: useCallback(() => {
      setState(EMPTY);
      setAttempt((before) => before + 1);
    }, []),
  };
}

type SetState = (change: (before: Omit<MonitorState, 'restart'>) => Omit<MonitorState, 'restart'>) => void;

/** @returns asks for the overview again */
function useOverview(range: RangeName, attempt: number, setState: SetState): () => void {
  const asked = useRef<AbortController | undefined>(undefined);
  // A new attempt makes a new function, and so a new stream too.
  const load = useCallback(() => {
    asked.current?.abort();
    const now = new AbortController();
    asked.current = now;
    getData<OverviewAnswer>(overviewPath(range), now.signal).then(
      (overview) => setState((before) => ({ ...before, overview, error: '', login: undefined })),
      (error: unknown) => {
        if (now.signal.aborted) return;
        setState((before) => ({ ...before, ...failureOf(error) }));
      },
    );
  }, [range, attempt, setState]);
  useEffect(() => {
    let cancel = (): void => {};
    const again = (): void => {
      if (!document.hidden) load();
      cancel = clock.after(REFRESH_MS, again);
    };
    cancel = clock.after(REFRESH_MS, again);
    return () => cancel();
  }, [load]);
  return load;
}

export function failureOf(error: unknown): { readonly error: string; readonly login?: string } {
  if (error instanceof TokenNeeded) return { error: '', login: error.message };
  return { error: error instanceof TypeError ? 'The monitor does not answer.' : String((error as Error).message) };
}

function withMessage(
  before: Omit<MonitorState, 'restart'>,
  message: UpdateMessage,
  loadSoon: () => void,
): Omit<MonitorState, 'restart'> {
  if (!before.overview) return before;
  const { overview, changes, isStale } = merged(before.overview, message);
  if (isStale) loadSoon();
  const versions = new Map(before.versions);
  for (const { key } of message.containers) versions.set(key, (versions.get(key) ?? 0) + 1);
  return { ...before, overview, versions, lastChange: changes.at(-1) ?? before.lastChange };
}
