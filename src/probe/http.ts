import type { Socket } from 'node:net';
import type { HttpTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import { createHttpResponseReader } from './http-response.ts';
import { healthy, outcomeOfFailed, unhealthy } from './native-outcome.ts';
import { socketReasonOf, type Visit } from './visit.ts';

/**
 * One GET over HTTP/1.1: healthy when the status of the response is one of those that the test names and the response is whole, or longer
 * than what is kept of it. Redirects are not followed.
 */
export async function probeHttp(visit: Visit, test: HttpTest): Promise<Outcome> {
  const connection = await visit.connect(test);
  if (connection.kind !== 'connected') return outcomeOfFailed(connection);
  if (!test.isTls) return exchange(visit, test, connection.socket);
  const { connect } = await import('node:tls');
  const stream = connect({
    ...{ socket: connection.socket, host: test.host, rejectUnauthorized: test.verify },
    ...(isName(test.host) ? { servername: test.host } : {}),
    ALPNProtocols: ['http/1.1'],
  });
  return exchange(visit, test, stream);
}

/** RFC 6066, section 3: an address is no server name. */
const isName = (host: string): boolean => !/^[\d.]+$|:/.test(host);

/** Resolves when the stream is closed at the latest. */
function exchange(visit: Visit, test: HttpTest, stream: Socket): Promise<Outcome> {
  const response = createHttpResponseReader();
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      stream.destroy();
      resolve(outcome);
    };
    const look = () => {
      const state = response.state();
      if (state.kind === 'done') settle(judge(test, response));
      else if (state.kind === 'broken') settle(unhealthy(joined(response.text(), state.reason)));
      else if (response.statusCode() !== 0) visit.note(response.text());
    };
    const end = () => {
      response.end();
      look();
    };
    stream.on('data', (bytes: Buffer) => {
      response.feed(bytes);
      look();
    });
    stream.once('end', end);
    stream.on('error', (error) => settle(unhealthy(joined(response.text(), socketReasonOf(error)))));
    stream.once('close', end);
    stream.write(requestText(test));
  });
}

function judge(test: HttpTest, response: { statusCode(): number; text(): string }): Outcome {
  const code = response.statusCode();
  const isIn = test.statuses.some(({ from, to }) => from <= code && code <= to);
  return isIn ? healthy(response.text()) : unhealthy(response.text());
}

const joined = (seen: string, reason: string): string => (seen === '' ? reason : `${reason}, after ${seen}`);

/** Headers that were given stand in place of those that are always sent. */
function requestText({ path, authority, headers }: HttpTest): string {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const all = [
    ...[['Host', authority] as const, ['User-Agent', 'healthctl'] as const, ['Accept', '*/*'] as const].filter(
      ([name]) => !given.has(name.toLowerCase()),
    ),
    ...headers,
    ['Connection', 'close'] as const,
  ];
  return [`GET ${path} HTTP/1.1`, ...all.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
}
