import { hostname } from 'node:os';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import { randomBelow } from '../../lib/random.ts';
import type { HookSettings, UrlHookSettings } from '../../lib/settings.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { type AlertBook, createAlertBook } from './alert-book.ts';
import type { AlertRules } from './alert-entry.ts';
import type { AlertEvent } from './alert-event.ts';
import { openAlertFile } from './alert-file.ts';
import { RESEND_MS } from './alertmanager.ts';
import { createDeliverer } from './deliver.ts';
import { eventOfLevel, goneEvent, levelOf, mayBeUnhealthy } from './level.ts';
import { createPost, type Post } from './post.ts';
import { shownUrl } from './redact.ts';
import { createSender, type Sender } from './sender.ts';
import { createResultAdder, type ResultDeps } from './with-result.ts';

/**
 * Sends the health of containers to servers: the hooks with a URL.
 *
 * INVARIANTS
 * 1. No caller waits: checks are not delayed by a server.
 * 2. While this runs, a receiver that may have got `unhealthy` also gets the recovery or end: see alert-entry.ts.
 * 3. At most one connection for each hook.
 */
export interface Alerts {
  /** A check changed the status of a container, or the monitor restarted it. */
  enqueue(event: AlertEvent): void;
  /** Something about a container may have changed. @param container undefined: it is gone */
  onChange(key: string, container: KnownContainer | undefined): void;
  /** Everything that runs is known: a container that is missing is gone. */
  onLive(get: (key: string) => KnownContainer | undefined): void;
  /** Tries everything that waits once more, for at most LAST_TRY_MS. */
  stop(): Promise<void>;
}

export interface AlertsDeps extends Pick<ResultDeps, 'healthOf'> {
  readonly hooks: readonly HookSettings[];
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** Path of the file with the firing alerts. */
  readonly path: string;
  /** For tests. */
  readonly post?: () => Post;
}

/** How long deliveries may take when the monitor ends. */
const LAST_TRY_MS = 3_000;
/** A state that is found is sent this much later: if a check of ours caused it, its result follows, with its output. */
const FOUND_AFTER_MS = 1_000;
/** A container that ended may be about to be started again: then its alert goes on. */
const ENDED_AFTER_MS = 5_000;

/** One write for all deliveries of this time: a thousand containers may become unhealthy at once. */
const SAVED_AFTER_MS = 500;

interface Line {
  readonly book: AlertBook;
  readonly sender: Sender;
}

export function createAlerts(deps: AlertsDeps): Alerts {
  const { clock } = deps;
  const { lines, save } = openLines(deps);
  const notice = ({ book, sender }: Line, key: string, event: AlertEvent | undefined, delayMs = 0): boolean => {
    const nowMs = clock.monotonic();
    const isTaken = book.notice(key, event, { nowMs, fromMs: nowMs + delayMs });
    sender.wake();
    return isTaken;
  };
  const observe = (line: Line, key: string, container: KnownContainer | undefined): void => {
    if (!line.book.has(key) && !mayBeUnhealthy(container)) return;
    const level = levelOf(container);
    switch (level) {
      case 'starting':
        notice(line, key, undefined);
        return;
      case 'healthy':
      case 'unhealthy':
        if (container) notice(line, key, eventOfLevel(container, level, clock.now()), FOUND_AFTER_MS);
        return;
      case 'ended':
      case 'removed':
      case 'unchecked': {
        const subject = line.book.subjectOf(key);
        if (subject) notice(line, key, goneEvent(subject, level, clock.now()), level === 'ended' ? ENDED_AFTER_MS : 0);
      }
    }
  };

  return {
    enqueue: (event) => {
      for (const line of lines) if (!notice(line, keyOf(event), event)) line.sender.countDropped();
    },
    onChange: (key, container) => {
      for (const line of lines) observe(line, key, container);
    },
    onLive: (get) => {
      for (const line of lines) {
        for (const key of line.book.keys()) observe(line, key, get(key));
        line.sender.remind();
      }
    },
    stop: async () => {
      const late = new AbortController();
      const { cancel } = clock.after(LAST_TRY_MS, () => late.abort());
      await Promise.all(lines.map(({ sender }) => sender.stop(late.signal)));
      cancel();
      save();
    },
  };
}

function openLines({ hooks, clock, log, path, healthOf, post = () => createPost(clock) }: AlertsDeps): {
  readonly lines: readonly Line[];
  /** Writes what fires. */
  save(): void;
} {
  const withUrl = hooks.flatMap((hook, index) => ('url' in hook ? [{ hook, number: index + 1 }] : []));
  if (withUrl.length === 0) return { lines: [], save: () => {} };
  const file = openAlertFile(path, log);
  const books = withUrl.map((one) => ({ ...one, book: createAlertBook(rulesOf(one.hook), file.known(one.hook)) }));
  let later: { cancel(): void } | undefined;
  const save = (): void => {
    later?.cancel();
    later = undefined;
    file.save(books.map(({ hook, book }) => ({ hook, firings: book.firings() })));
  };
  const withResult = createResultAdder({ healthOf, log });
  const random = (): number => randomBelow(1_000) / 1_000;
  const lines = books.map(({ hook, book, number }) => {
    const deliver = createDeliverer({ hook, post: post(), clock, withResult, host: hostname() });
    const shown = `hook ${number} (${shownUrl(hook.url)})`;
    const resendMs = hook.format === 'alertmanager' ? RESEND_MS : undefined;
    const firingRecord = {
      beforeTry: (key: string): void => {
        if (!file.isMarked(hook, key)) save();
      },
      afterTry: (): void => {
        later ??= clock.after(SAVED_AFTER_MS, save);
      },
    };
    return { book, sender: createSender({ book, deliver, shown, clock, log, random, resendMs, firingRecord }) };
  });
  return { lines, save };
}

function rulesOf({ on, minIntervalMs, retries, format }: UrlHookSettings): AlertRules {
  // A message for people is not sent at every start, except to a receiver that asks for `healthy` alone: not Alertmanager, whose hooks have both.
  const sendsFirstHealthy = format === 'json' || !on.includes('unhealthy');
  return { on, minIntervalMs, retries, sendsFirstHealthy, isPersistent: format === 'alertmanager' };
}
