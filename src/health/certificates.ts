import { malformed, ok, type Parsed } from './parsed.ts';

/** Largest size of a certificate file, in bytes: some 40 authorities. Every check reads the file again. */
export const MAX_CERTIFICATES_BYTES = 64 * 1024;

const TOO_MUCH = `more than ${MAX_CERTIFICATES_BYTES} bytes of certificates`;

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/**
 * DER of a certificate begins with a SEQUENCE of more than 127 bytes, whose length is in two bytes (`30 82`) or, of a
 * tiny one, in one (`30 81`).
 */
const SEQUENCE = /^MI[E-L]/;

/**
 * The certificates in a PEM text (RFC 7468), re-encoded in one form. Everything between them is dropped: comments, and
 * keys, which must not be stored.
 */
export function parseCertificates(text: string): Parsed<string> {
  if (text.length > MAX_CERTIFICATES_BYTES) return malformed(TOO_MUCH);
  const blocks: string[] = [];
  for (const [, inner = ''] of text.matchAll(BLOCK)) {
    const base64 = inner.replace(/\s+/g, '');
    if (!BASE64.test(base64) || !SEQUENCE.test(base64)) return malformed('a certificate is damaged');
    const lines = base64.match(/.{1,64}/g) ?? [];
    blocks.push(['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'));
  }
  if (blocks.length === 0) return malformed('there is no certificate in PEM (-----BEGIN CERTIFICATE-----)');
  const all = blocks.join('');
  return all.length > MAX_CERTIFICATES_BYTES ? malformed(TOO_MUCH) : ok(all);
}
