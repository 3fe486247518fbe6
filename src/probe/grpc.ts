import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../containerd/gen/grpc/health.ts';
import { decodeStatusMessage, frameMessage } from '../containerd/grpc-frames.ts';
import type { GrpcTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import { messageOf } from '../lib/errors.ts';
import { healthy, outcomeOfFailed, unhealthy } from './native-outcome.ts';
import { socketReasonOf, type Visit } from './visit.ts';

/** An answer is a message of a few bytes. */
const MAX_ANSWER_BYTES = 1024;
const MAX_TEXT_CHARACTERS = 1024;
const PREFIX_BYTES = 5;
/** What a server may send that is not an answer. In megabytes and pairs: Node.js's options. */
const LIMITS = { maxSessionMemory: 1, maxHeaderListPairs: 64, maxSettings: 32 };

/** One call of `grpc.health.v1.Health/Check`, without TLS: healthy when it answers SERVING. */
export async function probeGrpc(visit: Visit, test: GrpcTest): Promise<Outcome> {
  const connection = await visit.connect(test);
  if (connection.kind !== 'connected') return outcomeOfFailed(connection);
  const authority = test.host.includes(':') ? `[${test.host}]:${test.port}` : `${test.host}:${test.port}`;
  const session = connect(`http://${authority}`, {
    ...LIMITS,
    createConnection: () => connection.socket,
    settings: { enablePush: false, maxHeaderListSize: 16 * 1024 },
  });
  try {
    return await new Promise((resolve) => {
      session.on('error', (error) => resolve(unhealthy(`gRPC: ${socketReasonOf(error)}`)));
      session.once('close', () => resolve(unhealthy('gRPC: the connection ended before the answer')));
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        'user-agent': 'healthctl',
      });
      stream.end(frameMessage(HealthCheckRequest.encode({ service: test.service }).finish()));
      void readAnswer(stream).then(resolve);
    });
  } catch (error) {
    return unhealthy(`gRPC: ${messageOf(error)}`); // the session was lost before it could be asked
  } finally {
    session.destroy();
  }
}

/** Resolves when the stream is closed at the latest. */
function readAnswer(stream: ClientHttp2Stream): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let trouble: string | undefined;
  let status: string | undefined;
  let detail = '';
  const read = (headers: IncomingHttpHeaders) => {
    const http = headers[':status'];
    if (http !== undefined && String(http) !== '200') trouble ??= `HTTP status ${http}`;
    const code = headers['grpc-status'];
    if (typeof code !== 'string') return;
    status ??= code;
    detail = decodeStatusMessage(headers['grpc-message']).slice(0, MAX_TEXT_CHARACTERS);
  };
  return new Promise((resolve) => {
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else {
        trouble ??= `an answer of more than ${MAX_ANSWER_BYTES} bytes`;
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    stream.on('error', (error) => {
      trouble ??= socketReasonOf(error);
    });
    stream.once('close', () => {
      if (trouble !== undefined) resolve(unhealthy(`gRPC: ${trouble}`));
      else if (status === undefined) resolve(unhealthy('gRPC: the connection ended before the answer'));
      else resolve(status === '0' ? judge(Buffer.concat(chunks)) : unhealthy(statusText(status, detail)));
    });
  });
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
