import type { Clock } from '../lib/clock.ts';
import { exchange, type Peer, type Transport } from './exchange.ts';
import { cutReply, type Query, RCODE, rcodeOf, withId } from './message.ts';

/** Three servers take less than the 5 s that a client waits. */
const MAX_SERVERS = 3;
const SERVER_MS = 1_500;

/** Bounds of the queries that wait for other servers. */
export interface ForwardLimits {
  readonly each: number;
  readonly all: number;
}

/** Asks other servers for one container. */
export interface Forwarder {
  /**
   * Asks the servers in order, until one knows. @returns its answer, for the client; undefined if there is none, or too
   * many queries wait already
   */
  ask(query: Query, transport: Transport, servers: readonly Peer[]): Promise<Buffer | undefined>;
  /** No more answers are awaited. */
  stop(): void;
}

/** @param randomId a number below 65,536 that nobody can guess */
export function createForwarding(
  limits: ForwardLimits,
  { clock, randomId }: { readonly clock: Pick<Clock, 'after'>; readonly randomId: () => number },
): () => Forwarder {
  let all = 0;
  return () => {
    let own = 0;
    const waiting = new Set<AbortController>();
    const askOne = async (server: Peer, query: Query, transport: Transport): Promise<Buffer | undefined> => {
      const ending = new AbortController();
      waiting.add(ending);
      const timer = clock.after(SERVER_MS, () => ending.abort());
      const exchanged = await exchange(server, { query, transport, id: randomId() }, ending.signal);
      timer.cancel();
      waiting.delete(ending);
      return exchanged.kind === 'answered' ? exchanged.bytes : undefined;
    };
    let isStopped = false;
    const askInTurn = async (query: Query, transport: Transport, servers: readonly Peer[]) => {
      let last: Buffer | undefined;
      for (const server of servers.slice(0, MAX_SERVERS)) {
        if (isStopped) return undefined;
        const answer = await askOne(server, query, transport);
        last = answer ?? last;
        // Another server may answer what this one does not want to, or cannot now.
        if (answer && isFinal(rcodeOf(answer))) break;
      }
      return last;
    };
    return {
      ask: async (query, transport, servers) => {
        if (own >= limits.each || all >= limits.all) return undefined;
        own += 1;
        all += 1;
        try {
          const answer = await askInTurn(query, transport, servers);
          return answer && replyFrom(answer, query, transport);
        } finally {
          own -= 1;
          all -= 1;
        }
      },
      stop: () => {
        isStopped = true;
        for (const ending of waiting) ending.abort();
      },
    };
  };
}

const isFinal = (rcode: number): boolean => rcode === RCODE.none || rcode === RCODE.noName;

function replyFrom(answer: Buffer, query: Query, transport: Transport): Buffer {
  const reply = withId(answer, query.id);
  // The client said how much it takes, and the server was told.
  const isLong = transport === 'udp' && reply.length > query.statedBytes;
  return isLong ? cutReply(reply, query) : reply;
}
