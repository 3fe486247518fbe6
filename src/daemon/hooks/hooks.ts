import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import type { HookSettings } from '../../lib/settings.ts';
import type { HookEvent } from './hook-event.ts';

/** Runs a hook once. Rejects when it failed, took too long, or the signal fired; nothing of it is left then. */
export type RunHook = (hook: HookSettings, event: HookEvent, signal: AbortSignal) => Promise<void>;

export interface HooksDeps {
  readonly hooks: readonly HookSettings[];
  readonly run: RunHook;
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** Tells other programs what became of containers. Nobody who tells waits for them. */
export interface Hooks {
  tell(event: HookEvent): void;
  /** Ends what runs. What still waits is not told any more, and the log says how much that was. */
  stop(): Promise<void>;
}

/** Events that wait for one hook. More are dropped, the newest: the hook is stuck, and the first ones say why. */
const MAX_WAITING = 100;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Each hook has a queue of its own and is told one event at a time, in their order: one that hangs delays itself alone. */
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
