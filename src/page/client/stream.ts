import type { HostAnswer, UpdateMessage } from '../wire.ts';
import { ask, TokenNeeded } from './api.ts';
import { clock } from './clock.ts';

export interface StreamListener {
  onOpen(): void;
  onUpdate(message: UpdateMessage): void;
  onHost(host: HostAnswer): void;
  /** The connection is lost; it is tried again. */
  onLost(): void;
  /** @param why empty if none was sent */
  onTokenNeeded(why: string): void;
}

const [FIRST_RETRY_MS, LAST_RETRY_MS] = [500, 15_000];
/** The monitor sends something every five seconds. */
const SILENT_MS = 20_000;

/**
 * Follows the monitor's events until the signal fires. Not an EventSource, which cannot send a token. Waits while the
 * tab is hidden: a browser has six connections to a host, for all its tabs.
 */
export async function follow(listener: StreamListener, signal: AbortSignal): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    await untilVisible(signal);
    try {
      await readStream(
        {
          ...listener,
          onOpen: () => {
            retryMs = FIRST_RETRY_MS;
            listener.onOpen();
          },
        },
        signal,
      );
    } catch (error) {
      if (error instanceof TokenNeeded) return listener.onTokenNeeded(error.message);
    }
    if (signal.aborted) return;
    if (document.hidden) continue;
    listener.onLost();
    await sleep(retryMs, signal);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  }
}

/** Ends when the connection does, nothing came for too long, or the tab is hidden. */
async function readStream(listener: StreamListener, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  const onHidden = (): void => {
    if (document.hidden) end();
  };
  let cancel = clock.after(SILENT_MS, end);
  signal.addEventListener('abort', end);
  document.addEventListener('visibilitychange', onHidden);
  try {
    const { body } = await ask('stream', over.signal);
    if (!body) return;
    listener.onOpen();
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      cancel();
      cancel = clock.after(SILENT_MS, end);
      const events = `${text}${chunk}`.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) deliver(event, listener);
    }
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
    document.removeEventListener('visibilitychange', onHidden);
  }
}

function deliver(event: string, listener: StreamListener): void {
  const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
  if (data === undefined) return;
  if (name === 'update') listener.onUpdate(JSON.parse(data) as UpdateMessage);
  if (name === 'host') listener.onHost(JSON.parse(data) as HostAnswer);
}

function untilVisible(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      document.removeEventListener('visibilitychange', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    document.addEventListener('visibilitychange', done);
    signal.addEventListener('abort', done);
  });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}
