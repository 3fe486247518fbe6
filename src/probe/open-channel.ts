import type { Endpoint, TlsTerms } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { type Channel, type Protocol, SPEAKS_TLS } from './channel.ts';
import { outcomeOfFailed } from './native-outcome.ts';
import { type NetworkSession, socketReasonOf } from './network-session.ts';

export type OpenedChannel =
  | { readonly kind: 'open'; readonly channel: Channel }
  | { readonly kind: 'not-connected'; readonly outcome: Outcome }
  /** TLS failed. @see reason a clause */
  | { readonly kind: 'failed'; readonly reason: string };

export interface ChannelJob {
  readonly session: NetworkSession;
  readonly endpoint: Endpoint;
  /** Undefined: without TLS. */
  readonly tls: TlsTerms | undefined;
  readonly protocol: Protocol;
  readonly clock: Pick<Clock, 'after'>;
}

export async function openChannel(job: ChannelJob): Promise<OpenedChannel> {
  const { session, endpoint, tls, protocol } = job;
  const connection = await session.connect(endpoint);
  if (connection.kind !== 'connected') return { kind: 'not-connected', outcome: outcomeOfFailed(connection) };
  const { socket, endpointText } = connection;
  if (!tls) {
    const explainMute = async (reason: string) => ((await speaksTls(job, reason)) ? SPEAKS_TLS : reason);
    return { kind: 'open', channel: { stream: socket, reasonOf: socketReasonOf, explainMute } };
  }
  session.note(`connected to ${endpointText}, in the TLS handshake`);
  const opened = await (await import('./tls.ts')).openTls(socket, tls, protocol);
  if (opened.kind === 'open') session.note(`connected to ${endpointText} over TLS`);
  return opened;
}

/** How long a server that gave no answer has to begin a handshake. */
const TLS_ANSWER_MS = 1_000;

/** Many servers silently close a connection on which the client does not speak TLS, so TLS is tried on another one. */
async function speaksTls({ session, endpoint, protocol, clock }: ChannelJob, reason: string): Promise<boolean> {
  const connection = await session.connect(endpoint);
  session.note(reason);
  if (connection.kind !== 'connected') return false;
  const limit = clock.after(TLS_ANSWER_MS, () => connection.socket.destroy());
  try {
    const terms = { name: endpoint.host, verify: false, ca: undefined };
    const opened = await (await import('./tls.ts')).openTls(connection.socket, terms, protocol);
    return opened.kind === 'open' || opened.isTls;
  } finally {
    limit.cancel();
    connection.socket.destroy();
  }
}
