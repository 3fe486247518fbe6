import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipped, wantsGzip } from '../system/content-encoding.ts';
import type { Asset } from './assets.ts';
import type { Refusal } from './guard.ts';
import type { PageError } from './wire.ts';

/**
 * In every answer. The page loads files of its own only, and has no script or style in a text: so nothing in a name, a
 * label or an output can become one. `trusted-types 'none'`: nor can our own script make any of a text.
 */
const SAFETY: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export function setSafetyHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SAFETY)) response.setHeader(name, value);
}

export function sendRefusal(response: ServerResponse, { status, message, headers = {} }: Refusal): void {
  const body = Buffer.from(JSON.stringify({ message } satisfies PageError));
  response.writeHead(status, {
    ...headers,
    ...{ 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': body.length },
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** The browser keeps it, and asks each time whether it is still the same. */
export async function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): Promise<void> {
  response.setHeader('etag', asset.etag);
  response.setHeader('cache-control', 'no-cache');
  if (request.headers['if-none-match'] === asset.etag) {
    response.writeHead(304).end();
    return;
  }
  await send(request, response, { type: asset.type, bytes: asset.bytes });
}

export async function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  await send(request, response, { type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) });
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { type, bytes }: { readonly type: string; readonly bytes: Buffer },
): Promise<void> {
  const isPacked = wantsGzip(request);
  const body = isPacked ? await gzipped(bytes) : bytes;
  response.writeHead(200, {
    ...{ 'content-type': type, 'content-length': body.length, vary: 'accept-encoding' },
    ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
