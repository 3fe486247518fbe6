import { oneLine } from './tls-words.ts';

/** The parts of a server's certificate that messages show; the server chose their texts. */
export interface SeenCertificate {
  readonly subjectaltname?: string | undefined;
  readonly valid_from?: string | undefined;
  readonly valid_to?: string | undefined;
}

/** Node.js's names for OpenSSL's findings. */
const EXPIRED = /^CERT_HAS_EXPIRED$/;
const TOO_EARLY = /^CERT_NOT_YET_VALID$/;
const SELF_SIGNED = /^DEPTH_ZERO_SELF_SIGNED_CERT$/;
const UNKNOWN_AUTHORITY =
  /^(?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT(?:_LOCALLY)?|VERIFY_LEAF_SIGNATURE))$/;

/** Why a certificate was rejected, from Node.js's error code. */
export function certificateReasonOf(code: string, { valid_from, valid_to }: SeenCertificate): string {
  if (EXPIRED.test(code)) return `the certificate, or one that signed it, has expired${until(valid_to)}`;
  if (TOO_EARLY.test(code)) return `the certificate, or one that signed it, is not valid yet${from(valid_from)}`;
  if (SELF_SIGNED.test(code)) return 'the certificate is self-signed, and not one that is trusted';
  if (UNKNOWN_AUTHORITY.test(code)) return 'the certificate is signed by an authority that is not trusted';
  return `the certificate is not good: ${oneLine(code.toLowerCase().replaceAll('_', ' '))}`;
}

const until = (time: string | undefined): string => (time ? `: it ended ${oneLine(time)}` : '');
const from = (time: string | undefined): string => (time ? `: it begins ${oneLine(time)}` : '');

/** @param name the requested name */
export function wrongNameText(name: string, { subjectaltname }: SeenCertificate): string {
  const names = subjectaltname ? oneLine(subjectaltname).replace(/\b(?:DNS|IP Address):/g, '') : '';
  return `the certificate is not for ${name}${names === '' ? '' : `, but for ${names}`}`;
}
