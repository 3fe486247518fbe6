import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { ReceivedTooMuchError } from '../containerd/http2/connection.ts';
import type { TlsTerms } from '../health/native-test.ts';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { certificateReasonOf, wrongNameText } from './certificate-words.ts';
import type { Channel, Protocol } from './channel.ts';
import { countedStream } from './counted-stream.ts';
import { socketReasonOf } from './network-session.ts';
import { peerFrom } from './peer.ts';
import { isOpenSslError, oneLine, type TlsSeen, tlsReasonOf } from './tls-words.ts';

/** Limit for handshake, certificates and answer. OpenSSL accepts 100 KiB of certificates. */
const MAX_RECEIVED_BYTES = 256 * 1024;

export type OpenedTls =
  | { readonly kind: 'open'; readonly channel: Channel }
  /** @see reason a clause. @see isTls whether the server answered in TLS */
  | { readonly kind: 'failed'; readonly reason: string; readonly isTls: boolean };

const ALPN: Readonly<Record<Protocol, string>> = { 'HTTP/1.1': 'http/1.1', gRPC: 'h2' };

/**
 * Speaks TLS on a connected socket. Resolves when the handshake is complete and the certificate accepted, or when the
 * socket is closed, at the latest.
 */
export async function openTls(socket: Socket, terms: TlsTerms, protocol: Protocol): Promise<OpenedTls> {
  const serverName = isAddress(terms.name) ? undefined : terms.name;
  let seen: TlsSeen = { serverName, protocol, peer: undefined, hasBegun: false, isOpen: false };
  const context = contextFor(terms.ca);
  if (typeof context === 'string') return { kind: 'failed', reason: context, isTls: false };
  const watchPeer = (bytes: Buffer): boolean => {
    const peer = peerFrom(bytes);
    seen = { ...seen, peer, hasBegun: bytes[0] === HANDSHAKE };
    return peer !== undefined;
  };
  const stream = connect({
    socket: countedStream(socket, { maxBytes: MAX_RECEIVED_BYTES, onFirst: watchPeer }),
    secureContext: context,
    ALPNProtocols: [ALPN[protocol]],
    // Verified below, where the certificate can be described.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  let isExplained = false;
  const reasonOf = (error: Error): string => {
    isExplained = isOpenSslError(error) || errnoOf(error) === undefined;
    return failureText(error, seen);
  };
  const explainMute = async (reason: string): Promise<string> => (isExplained ? reason : `${reason}${HINT}`);
  return new Promise((resolve) => {
    const fail = (reason: string): void => {
      resolve({ kind: 'failed', reason, isTls: seen.peer?.kind === 'tls' });
      stream.destroy();
    };
    // Stays for the whole life of the stream: an error without a listener would end the process.
    stream.on('error', (error) => fail(reasonOf(error)));
    stream.once('close', () => fail(closedText(seen)));
    stream.once('secureConnect', () => {
      seen = { ...seen, isOpen: true };
      const reason = terms.verify ? certificateTrouble(stream, terms.name) : undefined;
      if (reason !== undefined) fail(reason);
      else resolve({ kind: 'open', channel: { stream, reasonOf, explainMute } });
    });
  });
}

const HANDSHAKE = 22;
/** With TLS 1.3 a server can refuse a client only after the client's handshake is complete. */
const HINT = ' after the TLS handshake (does the server want a client certificate?)';

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);

/** @returns the context, or a text: why there is none */
function contextFor(ca: string | undefined): SecureContext | string {
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      minVersion: 'TLSv1.2',
      // Otherwise a server could ask for any number of expensive handshakes.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (error) {
    return `the certificates of ca cannot be read: ${oneLine(messageOf(error))}`;
  }
}

function certificateTrouble(stream: TLSSocket, name: string): string | undefined {
  const certificate = stream.getPeerCertificate();
  const code: unknown = stream.authorizationError;
  if (!stream.authorized) return certificateReasonOf(code instanceof Error ? code.message : String(code), certificate);
  return checkServerIdentity(name, certificate) ? wrongNameText(name, certificate) : undefined;
}

function failureText(error: Error, seen: TlsSeen): string {
  if (error instanceof ReceivedTooMuchError) return `no answer in the first ${MAX_RECEIVED_BYTES} bytes`;
  if (isOpenSslError(error)) return tlsReasonOf(error, seen);
  // Node.js's own error for it, not a system error.
  if (!seen.isOpen && errnoOf(error) === 'ECONNRESET' && !('errno' in error)) return closedText(seen);
  const reason = oneLine(socketReasonOf(error));
  return errnoOf(error) === undefined || seen.isOpen ? reason : `${reason} in the TLS handshake`;
}

function closedText({ peer }: TlsSeen): string {
  return peer === undefined
    ? 'the connection ended in the TLS handshake: does the server speak TLS?'
    : 'the connection ended in the TLS handshake';
}
