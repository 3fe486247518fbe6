import type { HttpTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import type { Channel } from './channel.ts';
import { createHttpResponseReader, type HttpResponseReader } from './http-response.ts';
import { healthy, unhealthy } from './native-outcome.ts';
import type { NetworkSession } from './network-session.ts';
import { openChannel } from './open-channel.ts';

/**
 * One GET over HTTP/1.1: healthy if the test lists the status, and the response is complete or longer than what is kept
 * of it. Redirects are not followed.
 */
export async function probeHttp(
  session: NetworkSession,
  test: HttpTest,
  clock: Pick<Clock, 'after'>,
): Promise<Outcome> {
  const opened = await openChannel({ session, endpoint: test, tls: test.tls, protocol: 'HTTP/1.1', clock });
  switch (opened.kind) {
    case 'not-connected':
      return opened.outcome;
    case 'failed':
      return unhealthy(opened.reason);
    case 'open':
      return exchange(session, test, opened.channel);
  }
}

/** Resolves when the stream is closed, at the latest. */
async function exchange(session: NetworkSession, test: HttpTest, channel: Channel): Promise<Outcome> {
  const response = createHttpResponseReader();
  const answer = await readResponse(session, test, { channel, response });
  if (answer.kind === 'mute') return unhealthy(await channel.explainMute(answer.reason));
  return answer.reason === undefined ? judge(test, response) : unhealthy(joined(response.text(), answer.reason));
}

type Answer =
  /** @see reason what is wrong with it; undefined for a complete one */
  | { readonly kind: 'answer'; readonly reason: string | undefined }
  /** Nothing was received. */
  | { readonly kind: 'mute'; readonly reason: string };

function readResponse(
  session: NetworkSession,
  test: HttpTest,
  { channel, response }: { readonly channel: Channel; readonly response: HttpResponseReader },
): Promise<Answer> {
  const { stream, reasonOf } = channel;
  let isMute = true;
  return new Promise((resolve) => {
    const settle = (reason: string | undefined) => {
      stream.destroy();
      resolve(isMute && reason !== undefined ? { kind: 'mute', reason } : { kind: 'answer', reason });
    };
    const settleIfOver = () => {
      const state = response.state();
      if (state.kind === 'done') settle(undefined);
      else if (state.kind === 'broken') settle(state.reason);
    };
    const end = () => {
      response.end();
      settleIfOver();
    };
    stream.on('data', (bytes: Buffer) => {
      if (isMute) session.note(() => response.text() || 'the response has begun');
      isMute = false;
      response.feed(bytes);
      settleIfOver();
    });
    stream.once('end', end);
    stream.on('error', (error) => settle(reasonOf(error)));
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

/** Given headers replace the default headers. */
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
