import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { printable } from '../manifest.ts';

/** A body that is sent at the speed of the server. */
export interface StreamedBody {
  /** Bytes. */
  readonly size: number;
  source(): AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | StreamedBody;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: URL;
  /** The body as it arrives; a server that stalls ends it with TIMEOUT, a broken connection with UNAVAILABLE. */
  body(): AsyncGenerator<Buffer>;
  /** Drops the body, and its connection unless the body is empty. */
  discard(): void;
}

/** Plain requests over HTTP and HTTPS: no redirects, no retries, no credentials of its own. */
export interface HttpClient {
  send(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse>;
  /** Ends all connections. */
  close(): void;
}

export interface HttpOptions {
  readonly clock: Clock;
  /** Trusted certificates (PEM) for HTTPS, requested at the first use; undefined: those of Node.js. */
  certificates(): Promise<readonly string[] | undefined>;
  /** Limit on the time without an answer or with next to no data. */
  readonly idleTimeoutMs: number;
}

/** Less than this over a whole idle time is a stall: a server that drips bytes would otherwise hold us for ever. */
const MIN_BYTES_PER_IDLE_TIME = 1024;
const MAX_CONNECTIONS = 4;

export function openHttp(options: HttpOptions): HttpClient {
  const plain = new HttpAgent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const secure = lazySecureAgent(options);
  return {
    send: async (request, signal) => {
      const isSecure = request.url.protocol === 'https:';
      const https = isSecure ? await secure.open() : undefined;
      const send = https?.request ?? requestHttp;
      const watchdog = startWatchdog(options, signal);
      try {
        const message = await new Promise<IncomingMessage>((resolve, reject) => {
          const call = send(request.url, {
            method: request.method,
            headers: { 'User-Agent': 'healthctl', ...request.headers },
            agent: https?.agent ?? plain,
            signal: watchdog.signal,
          });
          call.on('response', resolve);
          call.on('error', reject);
          const { body } = request;
          if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) call.end(body);
          else void sendBody(call, body, watchdog.feed);
        });
        return toResponse(message, { ...options, url: request.url, method: request.method, signal });
      } catch (error) {
        throw translateHttpError(error, { url: request.url, stalled: watchdog.fired(), signal });
      } finally {
        watchdog.stop();
      }
    },
    close: () => {
      plain.destroy();
      secure.close();
    },
  };
}

/**
 * Sends a body until it is complete or the server has answered: an answer in the middle is a refusal. A failure of its
 * source ends the request with that error.
 */
async function sendBody(call: ClientRequest, { source }: StreamedBody, onSent: () => void): Promise<void> {
  let isAnswered = false;
  call.once('response', () => {
    isAnswered = true;
  });
  try {
    for await (const chunk of source()) {
      if (isAnswered || call.destroyed) return;
      if (!call.write(chunk)) await drained(call);
      onSent();
    }
    call.end();
  } catch (error) {
    call.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when more can be written, or never will. */
function drained(call: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done).off('close', done).off('response', done);
      resolve();
    };
    call.on('drain', done).on('close', done).on('response', done);
  });
}

/** HTTPS takes long to load, and a local registry does not need it. */
function lazySecureAgent(options: HttpOptions) {
  type Secure = { request: typeof requestHttp; agent: HttpAgent };
  let opened: Promise<Secure> | undefined;
  const open = async (): Promise<Secure> => {
    const [https, certificates] = await Promise.all([import('node:https'), options.certificates()]);
    const ca = certificates ? { ca: [...certificates] } : {};
    return { request: https.request, agent: new https.Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, ...ca }) };
  };
  return {
    open: () => {
      opened ??= open();
      return opened;
    },
    close: () => void opened?.then(({ agent }) => agent.destroy()).catch(() => undefined), // it was never open
  };
}

/** Aborts after the idle time without progress, or with the caller's signal. */
function startWatchdog({ clock, idleTimeoutMs }: HttpOptions, signal?: AbortSignal) {
  const bite = new AbortController();
  let done = new AbortController();
  let fired = false;
  const forward = () => bite.abort();
  if (signal?.aborted) forward();
  signal?.addEventListener('abort', forward, { once: true });
  const wait = ({ signal: stopped }: AbortController): void => {
    void clock.sleep(idleTimeoutMs, stopped).then(() => {
      if (stopped.aborted) return;
      fired = true;
      bite.abort();
    });
  };
  wait(done);
  return {
    signal: bite.signal,
    fired: () => fired,
    /** There was progress: the time starts again. */
    feed: () => {
      done.abort();
      done = new AbortController();
      wait(done);
    },
    stop: () => {
      done.abort();
      signal?.removeEventListener('abort', forward);
    },
  };
}

interface BodyOptions extends HttpOptions {
  readonly url: URL;
  readonly method: HttpRequest['method'];
  readonly signal: AbortSignal | undefined;
}

function toResponse(message: IncomingMessage, options: BodyOptions): HttpResponse {
  // reported where the body is read; without a listener an unread body would crash us
  message.on('error', () => undefined);
  const isEmpty = options.method === 'HEAD' || message.headers['content-length'] === '0';
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    url: options.url,
    body: () => readBody(message, options),
    discard: () => (isEmpty ? message.resume() : message.destroy()),
  };
}

async function* readBody(message: IncomingMessage, options: BodyOptions): AsyncGenerator<Buffer> {
  const { clock, idleTimeoutMs, signal, url } = options;
  const chunks: AsyncIterator<Buffer> = message[Symbol.asyncIterator]();
  const cancel = () => message.destroy();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const window = { waitedMs: 0, bytes: 0 };
  let stalled = false;
  try {
    for (;;) {
      const done = new AbortController();
      const startedMs = clock.monotonic();
      void clock.sleep(idleTimeoutMs, done.signal).then(() => {
        if (done.signal.aborted) return;
        stalled = true;
        message.destroy();
      });
      const next = await chunks.next().finally(() => done.abort());
      if (next.done) break;
      window.waitedMs += clock.monotonic() - startedMs;
      window.bytes += next.value.length;
      if (window.waitedMs >= idleTimeoutMs) {
        stalled = window.bytes < MIN_BYTES_PER_IDLE_TIME;
        if (stalled) throw new Error('stalled');
        Object.assign(window, { waitedMs: 0, bytes: 0 });
      }
      yield next.value;
    }
    // A body destroyed during the iteration ends without an error.
    if (stalled || signal?.aborted || !message.complete) throw new Error('the connection was closed');
  } catch (error) {
    throw translateHttpError(error, { url, stalled, signal });
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (!message.complete) message.destroy();
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be resolved',
  ETIMEDOUT: 'the connection timed out',
  HPE_HEADER_OVERFLOW: 'its answer has too large headers',
  ECONNABORTED: 'the connection was closed',
};

function translateHttpError(
  error: unknown,
  context: { readonly url: URL; readonly stalled: boolean; readonly signal: AbortSignal | undefined },
): HealthctlError {
  const { url, stalled, signal } = context;
  if (error instanceof HealthctlError) return error;
  if (signal?.aborted) return new HealthctlError('ABORTED', `request to ${url.host} was cancelled`, { cause: error });
  if (stalled) return new HealthctlError('TIMEOUT', `registry ${url.host} stopped sending`, { cause: error });
  const code = codeOf(error);
  if (/^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/.test(code)) {
    return new HealthctlError(
      'DENIED',
      `the certificate of ${url.host} is not trusted: ${printable(messageOf(error))}`,
      {
        cause: error,
        hint: `name the certificate of its authority in SSL_CERT_FILE, or put it into /etc/containerd/certs.d/${url.host}/ca.crt`,
      },
    );
  }
  if (/^ERR_SSL|^EPROTO/.test(code)) {
    return new HealthctlError('INVALID', `registry ${url.host} does not speak HTTPS`, {
      cause: error,
      hint: 'use --plain-http for a registry without TLS',
    });
  }
  if (/^HPE_(?!HEADER_OVERFLOW)/.test(code)) {
    return new HealthctlError('INVALID', `registry ${url.host} does not speak HTTP (${code})`, { cause: error });
  }
  const words = WORDS[code] ?? printable(messageOf(error));
  const kind = code === 'HPE_HEADER_OVERFLOW' ? 'INVALID' : 'UNAVAILABLE';
  return new HealthctlError(kind, `cannot reach registry ${url.host}: ${words}`, { cause: error });
}

function codeOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno !== undefined) return errno;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
