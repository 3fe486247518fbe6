import type { Peer } from './peer.ts';

/** Observations about a server that was contacted over TLS, from which its error is described. */
export interface TlsSeen {
  /** The name sent to it (SNI); undefined if it was contacted by address. */
  readonly serverName: string | undefined;
  /** The requested protocol, e.g. `HTTP/1.1`. */
  readonly protocol: string;
  /** From the first bytes received; undefined before any. */
  readonly peer: Peer | undefined;
  /** Whether it began a handshake: an alert before that is not about the client's later messages. */
  readonly hasBegun: boolean;
  /**
   * Whether the handshake was complete for the client. With TLS 1.3 the server judges the client's part of it
   * afterwards.
   */
  readonly isOpen: boolean;
}

const CLIENT_CERTIFICATE = 'the server wants a client certificate, which a check does not have';

/**
 * By OpenSSL's reasons, whose texts differ a little between releases: `tlsv13 alert certificate required`, `ssl/tls
 * alert bad certificate`.
 */
const WORDS: readonly (readonly [reason: RegExp, words: (seen: TlsSeen) => string])[] = [
  [/certificate required/, () => CLIENT_CERTIFICATE],
  // About a client's certificate. Many servers report a missing one as bad.
  [
    /alert (?:bad|no|unsupported) certificate|alert certificate|alert access denied|alert unknown ca/,
    () => CLIENT_CERTIFICATE,
  ],
  [/unrecognized name/, unknownName],
  [/alert protocol version|unsupported protocol|version too low|wrong ssl version/, () => OLD],
  [
    /alert no application protocol/,
    ({ protocol }) => `the server does not speak ${protocol} over TLS${otherHttp(protocol)}`,
  ],
  [/alert handshake failure/, refusedHandshake],
  [/alert internal error/, (seen) => `the server failed in the TLS handshake (internal error)${doubtOfName(seen)}`],
  [/insufficient security/, () => 'the server wants ciphers that a check does not offer'],
  [/key too small|md too weak|key too weak|unsafe legacy|no ciphers|no protocols/, weak],
];

const OLD = 'the server speaks only TLS 1.1 or older, and 1.2 is the least that is safe';

/** Why TLS failed: one clause, without OpenSSL's details for developers. */
export function tlsReasonOf(error: Error, seen: TlsSeen): string {
  const plain = plainPeerText(seen.peer, seen.protocol);
  if (plain !== undefined) return plain;
  const reason = reasonOf(error);
  const [, words] = WORDS.find(([pattern]) => pattern.test(reason)) ?? [];
  return words ? words(seen) : `TLS failed: ${reason}`;
}

/** Whether an error comes from OpenSSL, and not from the socket or from us. */
export const isOpenSslError = (error: Error): boolean =>
  ('code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_SSL')) || DUMP.test(error.message);

/** `C0B7…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record.c:355:` */
const DUMP = /error:[0-9A-Fa-f]{8}:[^:]*:[^:]*:([^:\n]*)/;

function reasonOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return oneLine(error.reason);
  const [, reason] = DUMP.exec(error.message) ?? [];
  return oneLine(reason ?? error.message);
}

/** Printable ASCII, bounded. */
export const oneLine = (text: string): string =>
  text
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 256);

/** Describes a plain-text answer on a port that was contacted over TLS. */
function plainPeerText(peer: Peer | undefined, protocol: string): string | undefined {
  switch (peer?.kind) {
    case undefined:
    case 'tls':
      return undefined;
    case 'http/1':
      return `the server speaks HTTP without TLS: it answered ${JSON.stringify(peer.line)}`;
    case 'http/2':
      return `the server speaks ${protocol === 'gRPC' ? protocol : 'HTTP/2'} without TLS`;
    case 'other':
      return `the server does not speak TLS: it answered ${peer.shown}`;
  }
}

function unknownName({ serverName }: TlsSeen): string {
  return serverName === undefined
    ? 'the server wants to be asked by a name (SNI), and was asked by an address'
    : `the server does not know the name ${JSON.stringify(serverName)} (SNI)`;
}

function doubtOfName({ serverName, hasBegun }: TlsSeen): string {
  if (hasBegun) return '';
  return serverName === undefined
    ? ': it may want to be asked by a name (SNI)'
    : `: it may have no certificate for ${JSON.stringify(serverName)} (SNI)`;
}

/**
 * A server that has shown its certificate has agreed on the ciphers: with TLS 1.2 only a client certificate can still
 * be missing.
 */
function refusedHandshake(seen: TlsSeen): string {
  if (seen.hasBegun) return CLIENT_CERTIFICATE;
  return `the server refused the TLS handshake: no cipher in common, or${doubtOfName(seen).replace(/^: it/, ' it')}`;
}

const otherHttp = (protocol: string): string => (protocol === 'HTTP/1.1' ? ', HTTP/2 perhaps' : '');

function weak(_: TlsSeen): string {
  return 'the keys or protocols of the server are too weak to be safe';
}
