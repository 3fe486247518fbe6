import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { certificateReasonOf } from '../../probe/certificate-words.ts';
import { socketReasonOf } from '../../probe/network-session.ts';
import { isOpenSslError, oneLine } from '../../probe/tls-words.ts';

const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** Why a request failed, as one clause. */
export function failureReasonOf(error: Error, host: string): string {
  if (error instanceof HealthctlError) return error.message;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the certificate is not for ${host}`;
  if (CERTIFICATE.test(code)) return certificateReasonOf(code, {});
  if (code === 'ENOTFOUND') return 'no such host';
  if (code === 'HPE_HEADER_OVERFLOW') return 'its answer has too large headers';
  if (code.startsWith('HPE_')) return 'it does not speak HTTP';
  // Node.js's words for a connection that ended before the answer.
  if (code === 'ECONNRESET') return 'the connection was closed without an answer';
  if (isOpenSslError(error) || code === 'EPROTO') return `TLS failed: ${tlsReason(error)}`;
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  if (first instanceof Error) return failureReasonOf(first, host);
  return oneLine(errnoOf(error) === undefined ? messageOf(error) : socketReasonOf(error));
}

const tlsReason = (error: Error): string =>
  oneLine('reason' in error && typeof error.reason === 'string' ? error.reason : 'the server does not speak it');
