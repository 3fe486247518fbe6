import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenAddress, MetricsSettings } from '../../lib/settings.ts';
import { isToken, readToken, type TokenHash } from '../../system/bearer-token.ts';
import { createHttpListener, type HttpListener } from '../listener/http-listener.ts';
import type { MetricsAnswerer } from './answer.ts';

export interface MetricsServerDeps {
  readonly settings: MetricsSettings & { readonly listen: ListenAddress };
  readonly answerer: MetricsAnswerer;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

const MAX_CONNECTIONS = 16;

/** Serves `GET /metrics` on TCP, and nothing else. */
export function createMetricsServer({ settings, answerer, clock, log }: MetricsServerDeps): HttpListener {
  const { listen, tls, tokenFile } = settings;
  const answer = async (response: ServerResponse): Promise<void> => {
    try {
      await answerer.answer(response);
    } catch (error) {
      if (!(error instanceof HealthctlError)) log.warn(`metrics: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else sendText(response, { status: hasCode(error, 'UNAVAILABLE') ? 503 : 500, text: messageOf(error) });
    }
  };
  return createHttpListener({
    ...{ what: 'metrics', urlPath: '/metrics', at: listen, tls, maxConnections: MAX_CONNECTIONS, clock, log },
    open: () => {
      const token = tokenFile === undefined ? undefined : readToken(tokenFile);
      return (request, response) => {
        // The next request of a client competes for a connection with those of all others.
        response.shouldKeepAlive = false;
        request.resume();
        const refusal = refusalOf(request, token);
        if (refusal) sendText(response, refusal);
        else void answer(response);
      };
    },
  });
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly header?: readonly [name: string, value: string];
}

function refusalOf({ method, url = '', headers }: IncomingMessage, token: TokenHash | undefined): Refusal | undefined {
  if (token && !isToken(headers.authorization, token))
    return { status: 401, text: 'a bearer token is needed', header: ['www-authenticate', 'Bearer'] };
  if (url.split('?', 1)[0] !== '/metrics') return { status: 404, text: 'metrics are at /metrics' };
  if (method === 'GET' || method === 'HEAD') return undefined;
  return { status: 405, text: `${method} is not for /metrics`, header: ['allow', 'GET, HEAD'] };
}

function sendText(response: ServerResponse, { status, text, header }: Refusal): void {
  if (header) response.setHeader(...header);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
