import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AUTHORITY, SIGNED } from '../../testbed/certificates.ts';
import { MAX_CERTIFICATES_BYTES, parseCertificates } from './certificates.ts';

const NONE = 'there is no certificate in PEM (-----BEGIN CERTIFICATE-----)';

describe('parseCertificates', () => {
  test('keeps only the certificates of a text', () => {
    const text = `# Example\r\n${AUTHORITY.replaceAll('\n', '\r\n')}${SIGNED.key}\n  ${SIGNED.good}trailing`;
    expect(parseCertificates(text)).toEqual({ kind: 'ok', value: `${AUTHORITY}${SIGNED.good}` });
  });

  test.each<[string, string, string]>([
    ['nothing', '', NONE],
    ['a path', '/etc/ssl/ca.pem', NONE],
    ['a key', SIGNED.key, NONE],
    ['one cut off', AUTHORITY.slice(0, -30), NONE],
    ['no base64', '-----BEGIN CERTIFICATE-----\nMII=A\n-----END CERTIFICATE-----\n', 'a certificate is damaged'],
    ['no DER', '-----BEGIN CERTIFICATE-----\naGVsbG8K\n-----END CERTIFICATE-----\n', 'a certificate is damaged'],
    ['too much', AUTHORITY.repeat(120), `more than ${MAX_CERTIFICATES_BYTES} bytes of certificates`],
  ])('refuses %s', (_, text, reason) => {
    expect(parseCertificates(text)).toEqual({ kind: 'malformed', reason });
  });

  test('the output parses to itself', () => {
    const piece = fc.oneof(
      fc.constantFrom(AUTHORITY, SIGNED.good, SIGNED.key, '-----BEGIN CERTIFICATE-----'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const parsed = parseCertificates(pieces.join(''));
        if (parsed.kind === 'ok') expect(parseCertificates(parsed.value)).toEqual(parsed);
      }),
    );
  });
});
