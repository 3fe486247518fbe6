import type { Duplex } from 'node:stream';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../containerd/gen/grpc/health.ts';
import { decodeStatusMessage, frameMessage } from '../containerd/grpc-frames.ts';
import {
  ConnectionClosedError,
  type ConnectionLimits,
  openConnection,
  ReceivedTooMuchError,
} from '../containerd/http2/connection.ts';
import { DEFAULT_WINDOW, ProtocolError } from '../containerd/http2/frames.ts';
import { encodeHeaders, type HeaderFields } from '../containerd/http2/hpack.ts';
import type { GrpcTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { type Channel, SPEAKS_TLS } from './channel.ts';
import { healthy, unhealthy } from './native-outcome.ts';
import type { NetworkSession } from './network-session.ts';
import { openChannel } from './open-channel.ts';
import { type Peer, peerFrom } from './peer.ts';

/** An answer is a message of a few bytes. */
const MAX_ANSWER_BYTES = 1024;
const MAX_TEXT_CHARACTERS = 1024;
const PREFIX_BYTES = 5;

/**
 * Limits on what a server may send before its answer: a container must not spend the monitor's CPU with meaningless
 * frames.
 */
const LIMITS = {
  receivedBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  windowBytes: DEFAULT_WINDOW,
} as const satisfies ConnectionLimits;

/** One call of `grpc.health.v1.Health/Check`: healthy if the answer is SERVING. */
export async function probeGrpc(
  session: NetworkSession,
  test: GrpcTest,
  clock: Pick<Clock, 'after'>,
): Promise<Outcome> {
  const opened = await openChannel({ session, endpoint: test, tls: test.tls, protocol: 'gRPC', clock });
  switch (opened.kind) {
    case 'not-connected':
      return opened.outcome;
    case 'failed':
      return trouble(opened.reason);
    case 'open': {
      const { channel } = opened;
      const answer = await call(channel, test, clock);
      return answer.kind === 'mute' ? trouble(await channel.explainMute(answer.reason)) : answer;
    }
  }
}

const trouble = (reason: string): Outcome => unhealthy(`gRPC: ${reason}`);

/** Resolves when the stream is closed, at the latest. `mute`: nothing was received. */
function call(
  { stream, reasonOf }: Channel,
  test: GrpcTest,
  clock: Pick<Clock, 'after'>,
): Promise<Outcome | { readonly kind: 'mute'; readonly reason: string }> {
  const answer = createAnswer();
  return new Promise((resolve) => {
    const settle = (outcome: Parameters<typeof resolve>[0]): void => {
      resolve(outcome);
      connection.destroy();
    };
    // Runs before the connection parses the bytes: the first ones identify a protocol other than HTTP/2.
    const hasAnswered = watchPeer(stream, (reason) => settle(trouble(reason)));
    const connection = openConnection(stream, clock, LIMITS);
    const asked = connection.open(requestHeaders(test), {
      onHeaders: answer.takeHeaders,
      onData: (bytes) => {
        if (!answer.takeData(bytes)) settle(trouble(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
      },
      onEnd: (cut) => {
        const reason = cutText(cut, reasonOf);
        settle(answer.outcome() ?? (hasAnswered() ? trouble(reason) : { kind: 'mute', reason }));
      },
    });
    void asked.send(frameMessage(HealthCheckRequest.encode({ service: test.service }).finish()));
    asked.end();
  });
}

function requestHeaders({ authority, tls }: GrpcTest): Buffer {
  return encodeHeaders({
    ...{ ':method': 'POST', ':scheme': tls ? 'https' : 'http', ':path': '/grpc.health.v1.Health/Check' },
    ...{ ':authority': authority, 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'healthctl' },
  });
}

/**
 * Reports once what is wrong with a server that does not begin as an HTTP/2 server does.
 * @returns whether any byte was received
 */
function watchPeer(stream: Duplex, report: (reason: string) => void): () => boolean {
  let beginning: Buffer = Buffer.alloc(0);
  const readBeginning = (bytes: Buffer): void => {
    beginning = Buffer.concat([beginning, bytes]);
    const peer = peerFrom(beginning);
    if (!peer) return;
    stream.off('data', readBeginning);
    const reason = wrongPeerText(peer);
    if (reason !== undefined) report(reason);
  };
  stream.on('data', readBeginning);
  return () => beginning.length > 0;
}

function wrongPeerText(peer: Peer): string | undefined {
  switch (peer.kind) {
    case 'http/2':
      return undefined;
    case 'http/1':
      return `the server speaks HTTP/1.1 and not HTTP/2, it answered ${JSON.stringify(peer.line)}`;
    case 'tls':
      return SPEAKS_TLS;
    case 'other':
      return `the answer is not HTTP/2: ${peer.shown}`;
  }
}

function cutText(cut: Error | undefined, reasonOf: (error: Error) => string): string {
  if (cut === undefined) return 'the answer has no status';
  if (cut instanceof ReceivedTooMuchError) return `no answer in the first ${LIMITS.receivedBytes} bytes`;
  if (cut instanceof ProtocolError) return cut.message;
  return cut instanceof ConnectionClosedError ? 'the connection ended before the answer' : reasonOf(cut);
}

interface Answer {
  takeHeaders(fields: HeaderFields): void;
  /** @returns false if it is too long */
  takeData(bytes: Buffer): boolean;
  /** The outcome of the answer; undefined if no status was received. */
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
