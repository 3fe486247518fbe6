import { HealthctlError } from '../../lib/errors.ts';
import { parseDocument } from '../document.ts';
import { MAX_MANIFEST_BYTES, printable } from '../manifest.ts';
import type { HttpResponse } from './http.ts';

/** Throws CORRUPT for a body that is larger than any manifest. */
export async function readBounded(response: HttpResponse, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body()) {
    size += chunk.length;
    if (size > MAX_MANIFEST_BYTES) {
      throw new HealthctlError('CORRUPT', `the ${what} is larger than ${MAX_MANIFEST_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tlsHint = ({ host }: URL): string =>
  `it was asked without TLS; if it wants TLS, leave out --plain-http, or, on this machine, put the certificate of its authority into /etc/containerd/certs.d/${host}/ca.crt`;

/**
 * Throws for any status but the expected ones, with the registry's own text if there is one.
 *
 * @param what was requested, e.g. `manifest of busybox:latest`
 */
export async function checkStatus(response: HttpResponse, what: string, expected = [200, 206]): Promise<void> {
  const { status, url } = response;
  if (expected.includes(status)) return;
  const words = await readErrorWords(response);
  const text = `registry ${url.host} answered ${status}${words === '' ? '' : ` (${words})`} for ${what}`;
  if (status === 404) throw new HealthctlError('NOT_FOUND', text);
  if (status === 401 || status === 403) throw new HealthctlError('DENIED', text);
  if (status === 429) {
    throw new HealthctlError('UNAVAILABLE', `toomanyrequests: ${text}`, { hint: 'log in, or wait and try again' });
  }
  // A TLS server's answer to a client without TLS.
  const isPerhapsTls = status === 400 && url.protocol === 'http:';
  throw new HealthctlError(status >= 500 ? 'UNAVAILABLE' : 'INVALID', text, isPerhapsTls ? { hint: tlsHint(url) } : {});
}

/** `errors[0].message` of a registry's answer (OCI distribution spec, "Error Codes"), else nothing. */
async function readErrorWords(response: HttpResponse): Promise<string> {
  try {
    const answer = parseDocument('answer', await readBounded(response, 'answer'));
    return printable(answer.objects('errors')?.[0]?.string('message') ?? '');
  } catch {
    return ''; // the status is enough
  }
}
