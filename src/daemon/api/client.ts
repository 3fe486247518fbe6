import { createConnection, type Socket } from 'node:net';
import { type ErrorCode, errnoOf, HealthctlError } from '../../lib/errors.ts';
import { type Guard, isNumber, isText, objectIn, parseJsonText } from '../../lib/shape.ts';
import { type MonitorRequest, REQUESTS } from './requests.ts';
import { API_HEADER, API_VERSION } from './version.ts';

/**
 * Asks the monitor, over plain sockets: loading Node.js's HTTP client would cost a short command more than the answer.
 */
export interface DaemonClient {
  /**
   * The answer; undefined when the caller must ask containerd instead: no monitor runs, or it has another API
   * version, does not watch the namespace, or has lost containerd.
   *
   * @throws the error that the monitor answers with, as a HealthctlError; ABORTED when the signal fires
   */
  ask<T>(request: MonitorRequest<T>, signal?: AbortSignal): Promise<Answered<T> | undefined>;
  /**
   * Like `ask`, in two steps: resolves when the request was sent, so that the caller can do other work until the answer
   * arrives.
   */
  send<T>(request: MonitorRequest<T>, signal?: AbortSignal): Promise<Sent<T> | undefined>;
  /** Whether a monitor runs and has left a request unanswered, so that `undefined` was returned. */
  readonly isSilent: boolean;
  /** Why the last request was left unanswered, if it was. */
  readonly unanswered: Unanswered | undefined;
  /**
   * The lines of a stream, as they come; undefined as above. The iteration throws UNAVAILABLE when the monitor ends.
   */
  follow(path: string, signal: AbortSignal): Promise<AsyncIterable<string> | undefined>;
}

/** Why a request has no answer. */
type Unanswered =
  /** There is no listener. */
  | { readonly kind: 'absent' }
  /** We lack permission, so it is unknown whether one runs. */
  | { readonly kind: 'denied' }
  /** A monitor runs but does not read. */
  | { readonly kind: 'silent' }
  /** A monitor runs, but closed the connection without an answer, or ended. */
  | { readonly kind: 'cut-off' }
  /** A monitor runs, and gives the reason for its refusal. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'other-version'; readonly apiVersion: number }
  /** Of our version, but its answer has another form. */
  | { readonly kind: 'unreadable' };

interface Answered<T> {
  readonly value: T;
}

/** A request that was sent to the monitor. */
export interface Sent<T> {
  /** The result of `ask`. Call it once. */
  answer(): Promise<Answered<T> | undefined>;
}

/**
 * After this long without a byte, the monitor is asked whether it still answers. A check or a removal may take longer;
 * a monitor that is stopped or stuck does not answer at all.
 */
const PATIENCE_MS = 3_000;

/** More than a list of ten thousand containers. */
const MAX_ANSWER_BYTES = 256 << 20;

export interface DaemonClientOptions {
  /** A version other than ours: to ask an older monitor to end. */
  readonly apiVersion?: number;
  /** Called when a running monitor does not answer and containerd is asked instead. */
  readonly onSilent?: () => void;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createDaemonClient(apiSocket: string, options: DaemonClientOptions = {}): DaemonClient {
  const { apiVersion = API_VERSION, onSilent } = options;
  let unanswered: Unanswered | undefined;
  let isSilent = false;
  /** Records why a request has no answer. @returns the result for it */
  const leave = (why: Unanswered): undefined => {
    unanswered = isSilent ? { kind: 'silent' } : why;
    return undefined;
  };
  const isAnswering = async (signal: AbortSignal | undefined): Promise<boolean> => {
    const socket = await connect(apiSocket, signal);
    if (typeof socket === 'string') return false;
    socket.write(questionOf(REQUESTS.anyStatus, apiVersion));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    return (await readAll(socket, signal)).length > 0;
  };
  /** Ends a connection without data if the rest of the monitor does not answer either. */
  const watch = (socket: Socket, signal: AbortSignal | undefined): void => {
    socket.setTimeout(PATIENCE_MS, () => {
      void isAnswering(signal).then(
        (answers) => {
          if (socket.destroyed) return;
          if (answers) return watch(socket, signal);
          isSilent = true;
          onSilent?.();
          socket.destroy();
        },
        () => socket.destroy(),
      );
    });
  };
  const open = async (question: Question, signal: AbortSignal | undefined): Promise<Socket | undefined> => {
    const socket = await connect(apiSocket, signal);
    if (typeof socket === 'string') return leave({ kind: socket });
    // HTTP/1.0: the answer is not chunked, and ends with the connection.
    socket.write(questionOf(question, apiVersion));
    watch(socket, signal);
    return socket;
  };
  const answerOf = async <T>(received: Promise<Buffer>, isAnswer: Guard<T>): Promise<Answered<T> | undefined> => {
    const bytes = await received;
    const head = headOf(bytes);
    if (!head) return leave({ kind: 'cut-off' });
    const body = bytes.subarray(head.bytes);
    // The monitor was killed while it answered.
    if (head.length !== undefined && body.length !== head.length) return leave({ kind: 'cut-off' });
    if (head.apiVersion !== apiVersion) return leave({ kind: 'other-version', apiVersion: head.apiVersion });
    const value = parseJsonText(body.toString('utf8'));
    if (head.status >= 300) return leave({ kind: 'refused', message: refusalOf(value, head.status) });
    return isAnswer(value) ? { value } : leave({ kind: 'unreadable' });
  };
  const send: DaemonClient['send'] = async (request, signal) => {
    const socket = await open(request, signal);
    if (!socket) return undefined;
    const received = readAll(socket, signal);
    received.catch(() => undefined); // reported to the caller of `answer`
    return { answer: () => answerOf(received, request.isAnswer) };
  };
  return {
    get isSilent() {
      return isSilent;
    },
    get unanswered() {
      return unanswered;
    },
    send,
    ask: async (request, signal) => (await send(request, signal))?.answer(),
    follow: async (path, signal) => {
      const socket = await open({ method: 'GET', path }, signal);
      const answer = socket && (await readHead(socket, signal));
      socket?.setTimeout(0); // events may be far apart
      if (!answer || answer.head.apiVersion !== apiVersion) return undefined;
      if (answer.head.status < 300) return linesOf(answer.body);
      const chunks: Buffer[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      const value = parseJsonText(Buffer.concat(chunks).toString('utf8'));
      return leave({ kind: 'refused', message: refusalOf(value, answer.head.status) });
    },
  };
}

type Question = Pick<MonitorRequest<unknown>, 'method' | 'path'>;

function questionOf({ method, path }: Question, apiVersion: number): string {
  return `${method} /v${apiVersion}${path} HTTP/1.0\r\nHost: healthctl\r\nContent-Length: 0\r\n\r\n`;
}

interface Head {
  readonly status: number;
  /** Length of the body, if the monitor sends it. */
  readonly length: number | undefined;
  /** NaN if the peer is no monitor. */
  readonly apiVersion: number;
  /** Offset of the body. */
  readonly bytes: number;
}

interface Answer {
  readonly head: Head;
  readonly body: AsyncIterable<Buffer>;
}

/** Returns the socket, or why there is no connection. */
function connect(path: string, signal: AbortSignal | undefined): Promise<Socket | 'absent' | 'denied' | 'silent'> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted());
    const socket = createConnection(path);
    const onAbort = (): void => {
      socket.destroy(aborted());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => signal?.removeEventListener('abort', onAbort));
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      const errno = errnoOf(error);
      const why = UNCONNECTED[errno ?? ''];
      if (why) return resolve(why);
      reject(error);
    });
  });
}

/** Most callers treat a monitor that they may not ask like none: containerd then reports the missing permission. */
const UNCONNECTED: Readonly<Record<string, 'absent' | 'denied' | 'silent'>> = {
  ENOENT: 'absent',
  ENOTDIR: 'absent',
  EINVAL: 'absent',
  ECONNREFUSED: 'absent',
  EACCES: 'denied',
  EPERM: 'denied',
  EAGAIN: 'silent', // it has not accepted the last 500 connections
};

/** All data until the connection ends, with or without an error. Throws ABORTED, and EXHAUSTED for too much. */
function readAll(socket: Socket, signal: AbortSignal | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_ANSWER_BYTES) return;
      reject(new HealthctlError('EXHAUSTED', "the monitor's answer is too long"));
      socket.destroy();
    });
    socket.on('error', () => {}); // the data received before is used
    const settle = (): void => (signal?.aborted ? reject(aborted()) : resolve(Buffer.concat(chunks)));
    socket.once('end', settle);
    socket.once('close', settle);
  });
}

/** Undefined until it is complete. */
function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const field = (name: string): string | undefined =>
    fields
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const length = field('content-length');
  return {
    status: Number(statusLine.split(' ')[1]),
    length: length === undefined ? undefined : Number(length),
    apiVersion: Number(field(API_HEADER)),
    bytes: end + 4,
  };
}

/** Undefined if the connection ends before an answer. */
async function readHead(socket: Socket, signal: AbortSignal | undefined): Promise<Answer | undefined> {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await nextChunk(chunks, signal);
    if (!next) return undefined;
    bytes = Buffer.concat([bytes, next]);
    const head = headOf(bytes);
    if (head) return { head, body: bodyOf(bytes.subarray(head.bytes), chunks, signal) };
  }
}

async function* bodyOf(
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  signal: AbortSignal | undefined,
): AsyncIterable<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await nextChunk(chunks, signal); next; next = await nextChunk(chunks, signal)) yield next;
  } finally {
    await chunks.return?.();
  }
}

/** Undefined at the end, also of a broken connection. Throws ABORTED. */
async function nextChunk(chunks: AsyncIterator<Buffer>, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
  try {
    const { value, done } = await chunks.next();
    if (signal?.aborted) throw aborted();
    return done ? undefined : value;
  } catch (error) {
    if (signal?.aborted) throw aborted();
    if (errnoOf(error) === undefined && !isGivenUp(error)) throw error;
    return undefined;
  }
}

/** We closed the connection ourselves, because no data came. */
function isGivenUp(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncIterable<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      if (end === 0) return; // the monitor has sent everything that was requested
      yield rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
    }
  }
  throw new HealthctlError('UNAVAILABLE', 'the monitor has ended');
}

function aborted(): HealthctlError {
  return new HealthctlError('ABORTED', 'the request to the monitor was cancelled');
}

/** Why the monitor does not answer, if containerd should be asked instead. Throws all other errors. */
function refusalOf(value: unknown, status: number): string {
  const { code, message, hint, exitCode } = objectIn(value);
  const text = isText(message) ? message : `the monitor answered with status ${status}`;
  if (code === 'UNWATCHED' || code === 'UNAVAILABLE') return text;
  throw new HealthctlError(isText(code) ? (code as ErrorCode) : 'INTERNAL', text, {
    ...(isText(hint) ? { hint } : {}),
    ...(isNumber(exitCode) ? { exitCode } : {}),
  });
}
