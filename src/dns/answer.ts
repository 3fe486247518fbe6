import type { Peer, Transport } from './exchange.ts';
import type { Forwarder } from './forward.ts';
import { type Answer, MAX_MESSAGE_BYTES, parseQuery, type Query, RCODE, replyTo, TYPE } from './message.ts';
import { inTurn, lookUp, lookUpOwner, type NamedAddresses, type Zone } from './zone.ts';

/**
 * How long a client may keep an address. Docker says ten minutes, which is why configurations of nginx have `valid=10s`;
 * shorter is always safe.
 */
const TTL_S = 5;

/** What the answers for one container depend on. Each is asked for again with each query. */
export interface AnswererOptions {
  readonly zone: () => Zone;
  /** Where to ask for other names; none if the container may not reach others. */
  readonly servers: () => readonly Peer[];
  readonly forwarder: Pick<Forwarder, 'ask'>;
}

/** Answers the messages of one container. */
export interface Answerer {
  /** Undefined for a message that gets no answer. Never throws, and never rejects. */
  answer(bytes: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer>;
}

export function createAnswerer({ zone, servers, forwarder }: AnswererOptions): Answerer {
  const turns = createTurns();
  const forward = async (query: Query, transport: Transport): Promise<Buffer> => {
    const answer = await forwarder.ask(query, transport, servers());
    return answer ?? replyTo(query, { rcode: RCODE.failure, answers: [], ttlS: 0 }, MAX_MESSAGE_BYTES);
  };
  return {
    answer: (bytes, transport) => {
      const parsed = parseQuery(bytes);
      if (parsed.kind !== 'query') return parsed.kind === 'refused' ? parsed.reply : undefined;
      const { query } = parsed;
      const own = query.isInternet ? ownAnswers(zone(), query, turns) : undefined;
      if (!own) return forward(query, transport);
      const maxBytes = transport === 'udp' ? query.udpBytes : MAX_MESSAGE_BYTES;
      return replyTo(query, { rcode: RCODE.none, answers: own, ttlS: TTL_S }, maxBytes);
    },
  };
}

/** Undefined for a name that is none of ours. One of ours without such records has an empty answer. */
function ownAnswers(zone: Zone, { name, type }: Query, turns: Turns): readonly Answer[] | undefined {
  const owner = type === TYPE.PTR ? lookUpOwner(zone, name) : undefined;
  if (owner !== undefined) return [{ type: TYPE.PTR, data: owner }];
  const found = lookUp(zone, name);
  if (!found) return undefined;
  if (type !== TYPE.A && type !== TYPE.AAAA) return [];
  const addresses = listOf(found, type);
  const ordered = addresses.length > 1 ? inTurn(addresses, turns.next(`${type} ${name}`)) : addresses;
  return ordered.map((data) => ({ type, data }));
}

const listOf = ({ v4, v6 }: NamedAddresses, type: number): readonly string[] => (type === TYPE.A ? v4 : v6);

/** More names than a container asks for; then all begin again. */
const MAX_TURNS = 1_000;

interface Turns {
  next(key: string): number;
}

/** Counts for each name by itself: a client that asks for two names by turns would always get the same address. */
function createTurns(): Turns {
  const counts = new Map<string, number>();
  return {
    next: (key) => {
      const count = counts.get(key) ?? 0;
      if (counts.size >= MAX_TURNS) counts.clear();
      counts.set(key, count + 1);
      return count;
    },
  };
}
