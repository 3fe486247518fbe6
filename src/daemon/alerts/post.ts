import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { failureReasonOf } from './failure-reason.ts';
import type { PostOutcome } from './retry.ts';

interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Authorities in PEM, besides those of Node.js. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Sends one POST. A fault of the server or the network never rejects.
 *
 * INVARIANTS
 * 1. It ends within the timeout, whatever the server does; then the socket is closed.
 * 2. Of an answer only the status, one header and at most MAX_TEXT_BYTES of a refusal's body are kept.
 * 3. One connection for each call, none before or after it. Redirects are not followed.
 */
export type Post = (request: PostRequest, signal: AbortSignal) => Promise<PostOutcome>;

/** How many answers of 1xx may precede the answer: parsing them takes time from checks. */
const MAX_INTERIM = 10;
/** How much of a refusal's text to read, for the log. */
const MAX_TEXT_BYTES = 1024;

/** @returns for the calls of one hook: it reuses a TLS context, and looks one name up at a time */
export function createPost(clock: Clock): Post {
  const lookup = oneLookupAtATime();
  const contextOf = createContexts();
  return async (request, signal) => {
    const isTls = request.url.protocol === 'https:';
    // Most monitors have no such hook, and HTTPS takes long to load.
    const { request: open } = isTls ? await import('node:https') : await import('node:http');
    const options: RequestOptions & { secureContext?: SecureContext } = {
      ...{ method: 'POST', agent: false, lookup },
      headers: { ...request.headers, 'Content-Length': String(Buffer.byteLength(request.body)) },
      ...(isTls && request.ca !== undefined ? { secureContext: await contextOf(request.ca) } : {}),
    };
    return perform(() => open(request.url, options), { request, signal, clock });
  };
}

interface Performing {
  readonly request: PostRequest;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

function perform(start: () => ClientRequest, { request, signal, clock }: Performing): Promise<PostOutcome> {
  const { url, body, timeoutMs } = request;
  return new Promise((resolve) => {
    let isReached = false;
    let answer: (PostOutcome & { kind: 'answered' }) | undefined;
    const call = start();
    const settle = (outcome: PostOutcome): void => {
      late.cancel();
      signal.removeEventListener('abort', cancel);
      call.destroy();
      resolve(answer ?? outcome);
    };
    const fail = (reason: string): void => settle({ kind: 'failed', isReached, reason });
    const late = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs / 1_000} s`));
    const cancel = (): void => fail('cancelled');
    call.on('socket', (socket: Socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isReached = true;
      }),
    );
    // Stays for the whole life of the socket: an error without a listener would end the process.
    call.on('error', (error) => fail(failureReasonOf(error, url.hostname)));
    let interim = 0;
    call.on('information', () => {
      interim += 1;
      if (interim > MAX_INTERIM) fail('it sent interim answers without end');
    });
    call.on('upgrade', (_message, socket) => {
      socket.destroy();
      fail('it answered with another protocol');
    });
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    call.on('response', (message: IncomingMessage) => {
      answer = {
        kind: 'answered',
        status: message.statusCode ?? 0,
        retryAfter: message.headers['retry-after'],
        text: '',
      };
      const isDone = answer.status >= 200 && answer.status < 300;
      readText(message, isDone ? 0 : MAX_TEXT_BYTES, (text) => {
        answer = answer && { ...answer, text };
        if (answer) settle(answer);
      });
    });
    call.end(body);
  });
}

/** Reads the beginning of a body. Calls `done` once there is enough, or no more. */
function readText(message: IncomingMessage, maxBytes: number, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => done(Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'));
  if (maxBytes === 0) {
    finish();
    return;
  }
  message.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) finish();
  });
  message.once('end', finish);
  message.once('error', finish);
  message.once('close', finish);
}

/**
 * A look-up cannot be cancelled, and occupies a thread: further ones fail at once while one hangs, so that a dead
 * resolver costs a hook one thread.
 */
function oneLookupAtATime(): LookupFunction {
  let isBusy = false;
  return (host, options, done) => {
    if (isBusy) {
      const error = new HealthctlError('UNAVAILABLE', `the last look-up of ${host} has not ended`);
      queueMicrotask(() => done(error, '', 0));
      return;
    }
    isBusy = true;
    void import('node:dns').then(({ lookup }) =>
      lookup(host, options, (error, address, family) => {
        isBusy = false;
        done(error, address, family);
      }),
    );
  };
}

/** Parsing all authorities takes some 10 ms: only for another text. Throws CONFIG for a text without certificates. */
function createContexts(): (ca: string) => Promise<SecureContext> {
  let last: { readonly ca: string; readonly context: SecureContext } | undefined;
  return async (ca) => {
    if (last?.ca === ca) return last.context;
    const { createSecureContext, rootCertificates } = await import('node:tls');
    const context = createSecureContext({ ca: [...rootCertificates, ca] });
    last = { ca, context };
    return context;
  };
}
