import { createHmac } from 'node:crypto';
import { HealthctlError } from '../../lib/errors.ts';

/** RFC 2104 advises a key of at least half the hash's length. */
const MIN_KEY_BYTES = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The key in the text of a secret file: `whsec_` and base64, as in Standard Webhooks, or the text itself. A newline at
 * its end does not count. Throws CONFIG, without the secret.
 */
export function keyFromSecret(text: string): Buffer {
  const secret = text.replace(/\r?\n$/, '');
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : undefined;
  if (encoded !== undefined && !BASE64.test(encoded))
    throw new HealthctlError('CONFIG', 'what follows whsec_ is not base64');
  const key = encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64');
  if (key.length < MIN_KEY_BYTES)
    throw new HealthctlError('CONFIG', `the key has ${key.length} bytes; it needs at least ${MIN_KEY_BYTES}`, {
      hint: 'openssl rand -base64 32',
    });
  return key;
}

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com), for which there are libraries in many languages: an id that all tries
 * of an event share, the time of this try in seconds, and `v1,` with the HMAC-SHA256 of `id.time.body` in base64.
 */
export function signatureHeaders(
  key: Buffer,
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...idHeader(id), 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

const idHeader = (id: string): Readonly<Record<string, string>> => ({ 'webhook-id': id });
