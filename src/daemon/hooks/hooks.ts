import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import type { HookSettings } from '../../lib/settings.ts';
import type { HookEvent } from './hook-event.ts';

/** Runs a hook once. Rejects if it failed, took too long, or the signal fired; nothing of it is left then. */
export type RunHook = (hook: HookSettings, event: HookEvent, signal: AbortSignal) => Promise<void>;

export interface HooksDeps {
  readonly hooks: readonly HookSettings[];
  readonly run: RunHook;
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** Runs the user's programs after events. No caller waits for them. */
export interface Hooks {
  tell(event: HookEvent): void;
  /** Ends running hooks. Queued events are dropped, and the log gives their number. */
  stop(): Promise<void>;
}

/**
 * Events that may wait for one hook. Beyond that the newest are dropped: the hook is stuck, and the first ones show
 * why.
 */
const MAX_WAITING = 100;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Each hook has its own queue and gets one event at a time, in order: a hook that hangs delays only itself. */
export function createHooks({ hooks, run, clock, log }: HooksDeps): Hooks {
  const over = new AbortController();
  const lines = hooks.map((hook) => ({
    hook,
    waiting: [] as HookEvent[],
    dropped: 0,
    busy: undefined as Promise<void> | undefined,
  }));
  type Line = (typeof lines)[number];

  const attempt = async (hook: HookSettings, event: HookEvent): Promise<void> => {
    const what = `hook ${hook.command[0]} for ${event.event} of container ${event.namespace}/${event.id}`;
    for (let tries = 0, restMs = FIRST_RETRY_MS; !over.signal.aborted; tries += 1) {
      try {
        return await run(hook, event, over.signal);
      } catch (error) {
        if (over.signal.aborted) return;
        const isLast = tries >= hook.retries;
        log.warn(`${what} failed${isLast ? '' : '; retrying'}: ${messageOf(error)}`);
        if (isLast) return;
        await clock.sleep(restMs, over.signal);
        restMs = Math.min(2 * restMs, LONGEST_RETRY_MS);
      }
    }
  };
  const work = async (line: Line): Promise<void> => {
    for (let event = line.waiting.shift(); event && !over.signal.aborted; event = line.waiting.shift()) {
      await attempt(line.hook, event);
      if (line.dropped > 0)
        log.warn(`hook ${line.hook.command[0]}: queue full, ${counted(line.dropped, 'event')} dropped`);
      line.dropped = 0;
    }
    line.busy = undefined;
  };

  return {
    tell: (event) => {
      if (over.signal.aborted) return;
      for (const line of lines) {
        if (!line.hook.on.includes(event.event)) continue;
        if (line.waiting.length >= MAX_WAITING) line.dropped += 1;
        else line.waiting.push(event);
        line.busy ??= work(line);
      }
    },
    stop: async () => {
      over.abort();
      const left = lines.reduce((sum, { waiting }) => sum + waiting.length, 0);
      await Promise.all(lines.map(({ busy }) => busy));
      if (left > 0) log.info(`${counted(left, 'event')} for hooks dropped: the monitor ends`);
    },
  };
}
