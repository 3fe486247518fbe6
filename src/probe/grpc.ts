import type { Duplex } from 'node:stream';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../containerd/gen/grpc/health.ts';
import { decodeStatusMessage, frameMessage } from '../containerd/grpc-frames.ts';
import { type ConnectionLimits, openConnection, ReceivedTooMuchError } from '../containerd/http2/connection.ts';
import { DEFAULT_WINDOW } from '../containerd/http2/frames.ts';
import { encodeHeaders, type HeaderFields } from '../containerd/http2/hpack.ts';
import type { GrpcTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { healthy, outcomeOfFailed, unhealthy } from './native-outcome.ts';
import { type Peer, peerFrom } from './peer.ts';
import { socketReasonOf, type Visit } from './visit.ts';

/** An answer is a message of a few bytes. */
const MAX_ANSWER_BYTES = 1024;
const MAX_TEXT_CHARACTERS = 1024;
const PREFIX_BYTES = 5;

/** What a server may send until it has answered: a container must not spend the monitor's CPU with frames that say nothing. */
const LIMITS = {
  receivedBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  windowBytes: DEFAULT_WINDOW,
} as const satisfies ConnectionLimits;

/** One call of `grpc.health.v1.Health/Check`, without TLS: healthy when it answers SERVING. */
export async function probeGrpc(visit: Visit, test: GrpcTest, clock: Pick<Clock, 'after'>): Promise<Outcome> {
  const connection = await visit.connect(test);
  if (connection.kind !== 'connected') return outcomeOfFailed(connection);
  const authority = test.host.includes(':') ? `[${test.host}]:${test.port}` : `${test.host}:${test.port}`;
  return call({ stream: connection.socket, clock, authority, service: test.service });
}

interface CallJob {
  readonly stream: Duplex;
  readonly clock: Pick<Clock, 'after'>;
  readonly authority: string;
  readonly service: string;
}

/** Resolves when the stream is closed at the latest. */
function call({ stream, clock, authority, service }: CallJob): Promise<Outcome> {
  const answer = createAnswer();
  return new Promise((resolve) => {
    const settle = (outcome: Outcome): void => {
      resolve(outcome);
      connection.destroy();
    };
    const trouble = (reason: string): void => settle(unhealthy(`gRPC: ${reason}`));
    // Before the connection reads them: what is not HTTP/2 is told by its beginning.
    watchPeer(stream, trouble);
    const connection = openConnection(stream, clock, LIMITS);
    const asked = connection.open(requestHeaders(authority), {
      onHeaders: answer.takeHeaders,
      onData: (bytes) => {
        if (!answer.takeData(bytes)) trouble(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
      },
      onEnd: (cut) => settle(answer.outcome() ?? unhealthy(`gRPC: ${cutText(cut)}`)),
    });
    void asked.send(frameMessage(HealthCheckRequest.encode({ service }).finish()));
    asked.end();
  });
}

function requestHeaders(authority: string): Buffer {
  return encodeHeaders({
    ...{ ':method': 'POST', ':scheme': 'http', ':path': '/grpc.health.v1.Health/Check', ':authority': authority },
    ...{ 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'healthctl' },
  });
}

/** Says once what is wrong with a server that does not begin as one of HTTP/2 does. */
function watchPeer(stream: Duplex, tell: (reason: string) => void): void {
  let beginning: Buffer = Buffer.alloc(0);
  const look = (bytes: Buffer): void => {
    beginning = Buffer.concat([beginning, bytes]);
    const peer = peerFrom(beginning);
    if (!peer) return;
    stream.off('data', look);
    const reason = wrongPeerText(peer);
    if (reason !== undefined) tell(reason);
  };
  stream.on('data', look);
}

function wrongPeerText(peer: Peer): string | undefined {
  switch (peer.kind) {
    case 'http/2':
      return undefined;
    case 'http/1':
      return `the server speaks HTTP/1.1 and not HTTP/2, it answered ${JSON.stringify(peer.line)}`;
    case 'tls':
      return 'the server speaks TLS';
    case 'other':
      return `the answer is not HTTP/2: ${peer.shown}`;
  }
}

function cutText(cut: Error | undefined): string {
  if (cut === undefined) return 'the answer has no status';
  if (cut instanceof ReceivedTooMuchError) return `no answer in the first ${LIMITS.receivedBytes} bytes`;
  const reason = socketReasonOf(cut);
  return reason === 'the connection was closed' ? 'the connection ended before the answer' : reason;
}

interface Answer {
  takeHeaders(fields: HeaderFields): void;
  /** @returns false when it is too long */
  takeData(bytes: Buffer): boolean;
  /** What was answered; undefined when no status has come. */
  outcome(): Outcome | undefined;
}

function createAnswer(): Answer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let trouble: string | undefined;
  let status: string | undefined;
  let detail = '';
  return {
    takeHeaders: (fields) => {
      const http = fields[':status'];
      if (http?.startsWith('1')) return; // an interim response
      if (http !== undefined && http !== '200') trouble ??= `HTTP status ${http.slice(0, 16)}`;
      const code = fields['grpc-status'];
      if (code === undefined) return;
      status ??= code;
      detail = decodeStatusMessage(fields['grpc-message']).slice(0, MAX_TEXT_CHARACTERS);
    },
    takeData: (chunk) => {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      return bytes <= MAX_ANSWER_BYTES;
    },
    outcome: () => {
      if (trouble !== undefined) return unhealthy(`gRPC: ${trouble}`);
      if (status === undefined) return undefined;
      return status === '0' ? judge(Buffer.concat(chunks)) : unhealthy(statusText(status, detail));
    },
  };
}

function judge(frame: Buffer): Outcome {
  const isWhole =
    frame.length >= PREFIX_BYTES && frame[0] === 0 && frame.readUInt32BE(1) === frame.length - PREFIX_BYTES;
  if (!isWhole) return unhealthy('gRPC: the answer is not one message');
  try {
    const { status } = HealthCheckResponse.decode(frame.subarray(PREFIX_BYTES));
    return status === Status.SERVING ? healthy('SERVING') : unhealthy(Status[status] ?? `status ${status}`);
  } catch (error) {
    return unhealthy(`gRPC: the answer cannot be read: ${messageOf(error)}`);
  }
}

/** gRPC's names (grpc.io, "Status codes and their use"), by number. */
const NAMES: readonly string[] = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

function statusText(code: string, detail: string): string {
  const name = NAMES[Number(code)] ?? code.slice(0, 16);
  return detail === '' ? `gRPC: ${name}` : `gRPC: ${name}: ${detail}`;
}
