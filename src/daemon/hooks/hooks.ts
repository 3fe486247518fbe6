import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import type { CommandHookSettings } from '../../lib/settings.ts';
import { shownContainer } from '../../record/container-name.ts';
import type { HookEvent } from './hook-event.ts';

/** Runs a hook once. Rejects if it failed, took too long, or the signal fired; nothing of it is left then. */
export type RunHook = (hook: CommandHookSettings, event: HookEvent, signal: AbortSignal) => Promise<void>;

export interface HooksDeps {
  readonly hooks: readonly CommandHookSettings[];
  readonly run: RunHook;
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** Runs the user's programs after events. No caller waits for them. */
export interface Hooks {
  enqueue(event: HookEvent): void;
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
  const queues = hooks.map((hook) => ({
    hook,
    waiting: [] as HookEvent[],
    dropped: 0,
    busy: undefined as Promise<void> | undefined,
  }));
  type HookQueue = (typeof queues)[number];

  const attempt = async (hook: CommandHookSettings, event: HookEvent): Promise<void> => {
    const what = `hook ${hook.command[0]} for ${event.event} of container ${shownContainer(event)}`;
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
  const work = async (queue: HookQueue): Promise<void> => {
    for (let event = queue.waiting.shift(); event && !over.signal.aborted; event = queue.waiting.shift()) {
      await attempt(queue.hook, event);
      if (queue.dropped > 0)
        log.warn(`hook ${queue.hook.command[0]}: queue full, ${counted(queue.dropped, 'event')} dropped`);
      queue.dropped = 0;
    }
    queue.busy = undefined;
  };

  return {
    enqueue: (event) => {
      if (over.signal.aborted) return;
      for (const queue of queues) {
        if (!queue.hook.on.includes(event.event)) continue;
        if (queue.waiting.length >= MAX_WAITING) queue.dropped += 1;
        else queue.waiting.push(event);
        queue.busy ??= work(queue);
      }
    },
    stop: async () => {
      over.abort();
      const left = queues.reduce((sum, { waiting }) => sum + waiting.length, 0);
      await Promise.all(queues.map(({ busy }) => busy));
      if (left > 0) log.info(`${counted(left, 'event')} for hooks dropped: the monitor ends`);
    },
  };
}
