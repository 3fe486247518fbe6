import { chmodSync, chownSync, rmSync } from 'node:fs';
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { freeSocketPath } from '../../system/own-file.ts';
import { gateConnections } from '../connection-gate.ts';
import { paceFrames } from '../frame-pace.ts';
import { type GrpcCall, openServerCall, stopReading } from './grpc-server-call.ts';
import { GRPC_STATUS } from './grpc-status.ts';

/** Answers one call whose request was read. Throwing ends the call with INTERNAL. */
type GrpcHandler = (call: GrpcCall) => void;

export interface GrpcServerOptions {
  /** The Unix socket. */
  readonly path: string;
  /** Of the socket. */
  readonly mode: number;
  /** The group that the socket is given to. */
  readonly groupId: number | undefined;
  /** Connections at the same time; more are cut off. */
  readonly maxConnections: number;
  /** By path, e.g. `/grpc.health.v1.Health/Check`. */
  readonly methods: ReadonlyMap<string, GrpcHandler>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A gRPC server (gRPC over HTTP/2, PROTOCOL-HTTP2) on a Unix socket, with Node.js's own HTTP/2.
 *
 * INVARIANTS
 * 1. After `stop` nothing of it is left: no stream, no session, no timer, no socket file. Both calls are idempotent and
 *    awaited.
 * 2. The cost of a client is bounded, whatever it sends or fails to read: connections, streams, requests and frames per
 *    second have limits, and an answer is created only after the previous one was sent.
 * 3. An error of a client ends its call or its connection, and nothing else.
 */
export interface GrpcServer {
  /**
   * Replaces an existing socket file: the caller holds the lock that proves that it has no listener. Throws system
   * errors.
   */
  start(): Promise<void>;
  /** Ends all calls with UNAVAILABLE; a client that does not read is cut off. */
  stop(): Promise<void>;
}

const MAX_STREAMS_OF_CONNECTION = 1_000;
const MAX_CALLS = 4_000;
/** How long a client has to read the end of its calls when the server stops. */
const STOP_LIMIT_MS = 500;

interface Listening {
  readonly server: Http2Server;
  readonly sessions: Set<ServerHttp2Session>;
  readonly calls: Set<GrpcCall>;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  let running: Promise<Listening> | undefined;
  let stopping = Promise.resolve();
  return {
    start: async () => {
      await stopping;
      running ??= listen(options).catch((error: unknown) => {
        running = undefined;
        throw error;
      });
      await running;
    },
    stop: () => {
      const listening = running;
      running = undefined;
      if (listening) stopping = listening.then((what) => close(what, options)).catch(() => {});
      return stopping;
    },
  };
}

async function listen(options: GrpcServerOptions): Promise<Listening> {
  const { path, mode, groupId, log } = options;
  const sessions = new Set<ServerHttp2Session>();
  const calls = new Set<GrpcCall>();
  const server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS_OF_CONNECTION, enablePush: false } });
  paceFrames(server, options.clock);
  const gate = gateConnections(server, { max: options.maxConnections, clock: options.clock });
  server.on('session', (session) => {
    const { admitting } = gate;
    if (admitting) session.once('stream', () => gate.asked(admitting));
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', (error: Error) => log.debug(`gRPC: a connection failed: ${error.message}`));
  server.on('stream', (stream, headers) => serve(options, calls, stream, headers));
  freeSocketPath(path, (text) => log.warn(text));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => log.warn(`gRPC: ${error.message}`));
  try {
    if (groupId !== undefined) chownSync(path, -1, groupId);
    chmodSync(path, mode);
  } catch (error) {
    await close({ server, sessions, calls }, options);
    throw error;
  }
  return { server, sessions, calls };
}

async function close({ server, sessions, calls }: Listening, { clock, path }: GrpcServerOptions): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const call of calls) call.end({ code: GRPC_STATUS.unavailable, details: 'the server is ending' });
  for (const session of sessions) session.close();
  const inTime = new AbortController();
  void clock.sleep(STOP_LIMIT_MS, inTime.signal).then(() => {
    for (const session of sessions) session.destroy();
  });
  await closed;
  inTime.abort();
  rmSync(path, { force: true });
}

function serve(
  options: GrpcServerOptions,
  calls: Set<GrpcCall>,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const { methods, clock, log } = options;
  // A client that resets its stream or disconnects expects no answer.
  stream.on('error', (error) => log.debug(`gRPC: a call failed: ${messageOf(error)}`));
  const refusal = httpRefusalOf(headers);
  if (refusal !== undefined) {
    refuse(stream, refusal, clock);
    return;
  }
  const path = `${headers[':path']}`;
  const handler = methods.get(path);
  const call = openServerCall(stream, headers, clock, (ready) => {
    try {
      handler?.(ready);
    } catch (error) {
      log.warn(`gRPC: ${path}: ${messageOf(error)}`);
      ready.end({ code: GRPC_STATUS.internal, details: 'the call failed' });
    }
  });
  calls.add(call);
  call.onEnd(() => calls.delete(call));
  if (!handler) call.end({ code: GRPC_STATUS.unimplemented, details: `unknown method ${path.slice(0, 200)}` });
  else if (calls.size > MAX_CALLS) call.end({ code: GRPC_STATUS.exhausted, details: `more than ${MAX_CALLS} calls` });
}

/** The HTTP status for a request that is not gRPC. */
function httpRefusalOf(headers: IncomingHttpHeaders): number | undefined {
  if (headers[':method'] !== 'POST') return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  if (!/^application\/grpc(\+proto)?\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
  return undefined;
}

function refuse(stream: ServerHttp2Stream, status: number, clock: Pick<Clock, 'after'>): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': status }, { endStream: true });
  stopReading(stream, clock);
}
