import type { ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { HostAnswer, PresentState, UpdateMessage } from './wire.ts';

/** Sends what changes to the browsers that look at the page. Costs nothing while none does. */
export interface LiveFeed {
  /** A check of this container has recorded a result. */
  onResult(key: string, exitCode: number): void;
  onChange(key: string): void;
  onGone(key: string): void;
  /** Sends events until the client disconnects. Throws UNAVAILABLE if there are too many clients. */
  serve(response: ServerResponse): void;
  /** Cuts off all clients. */
  stop(): void;
}

/** What the monitor calls; it does nothing until somebody follows. */
export interface LiveSource extends Pick<LiveFeed, 'onResult' | 'onChange' | 'onGone'> {
  follow(feed: Pick<LiveFeed, 'onResult' | 'onChange' | 'onGone'>): void;
}

export function createLiveSource(): LiveSource {
  let feed: Pick<LiveFeed, 'onResult' | 'onChange' | 'onGone'> | undefined;
  return {
    onResult: (key, exitCode) => feed?.onResult(key, exitCode),
    onChange: (key) => feed?.onChange(key),
    onGone: (key) => feed?.onGone(key),
    follow: (one) => {
      feed = one;
    },
  };
}

export interface LiveDeps {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Undefined for a container that is gone. */
  readonly presentOf: (key: string) => PresentState | undefined;
  readonly host: () => HostAnswer;
}

/** Changes wait so long for others: one message for all clients. */
const BATCH_MS = 1_000;
/** How often the state of the monitor is sent. It also shows a client that the connection is alive. */
const HOST_MS = 5_000;
export const MAX_STREAMS = 16;
/** What a client may leave unread. It is cut off then, and asks for everything again. */
const MAX_UNREAD_BYTES = 256 << 10;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createLiveFeed({ clock, presentOf, host }: LiveDeps): LiveFeed {
  const clients = new Set<ServerResponse>();
  let counts = new Map<string, { succeeded: number; failed: number }>();
  let gone = new Set<string>();
  let batch: { cancel(): void } | undefined;
  let beat: { cancel(): void } | undefined;

  const send = (response: ServerResponse, event: string, value: unknown): void => {
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    else response.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
  };
  const sendAll = (event: string, value: unknown): void => {
    for (const client of clients) send(client, event, value);
  };
  const flush = (): void => {
    batch = undefined;
    const [changed, removed] = [counts, gone];
    counts = new Map();
    gone = new Set();
    const containers = [...changed].flatMap(([key, more]) => {
      const present = presentOf(key);
      return present ? [{ ...present, ...more }] : [];
    });
    const left = [...removed].filter((key) => !presentOf(key));
    if (containers.length + left.length > 0)
      sendAll('update', { atMs: clock.now(), containers, gone: left } satisfies UpdateMessage);
  };
  const note = (): void => {
    batch ??= clock.after(BATCH_MS, flush);
  };
  const countsOf = (key: string): { succeeded: number; failed: number } => {
    const known = counts.get(key) ?? { succeeded: 0, failed: 0 };
    counts.set(key, known);
    return known;
  };
  const sendHost = (): void => {
    sendAll('host', host());
    beat = clock.after(HOST_MS, sendHost);
  };
  const rest = (): void => {
    batch?.cancel();
    beat?.cancel();
    batch = undefined;
    beat = undefined;
    counts.clear();
    gone.clear();
  };

  return {
    onResult: (key, exitCode) => {
      if (clients.size === 0) return;
      countsOf(key)[exitCode === 0 ? 'succeeded' : 'failed'] += 1;
      note();
    },
    onChange: (key) => {
      if (clients.size === 0) return;
      countsOf(key);
      note();
    },
    onGone: (key) => {
      if (clients.size === 0) return;
      gone.add(key);
      note();
    },
    serve: (response) => {
      if (clients.size >= MAX_STREAMS)
        throw new HealthctlError('UNAVAILABLE', `${MAX_STREAMS} other browsers are looking at this page`);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.flushHeaders();
      clients.add(response);
      response.once('close', () => {
        clients.delete(response);
        if (clients.size === 0) rest();
      });
      send(response, 'host', host());
      beat ??= clock.after(HOST_MS, sendHost);
    },
    stop: () => {
      for (const client of clients) client.destroy();
      rest();
    },
  };
}
