import { eventFiltersFrom, matchesEvent, SCOPE } from '../../events/filter.ts';
import type { HostEvent } from '../../events/host-event.ts';
import { nanosecondsFromMilliseconds } from '../../go/duration.ts';
import { encodeJson } from '../../lib/json.ts';
import { EngineError } from '../errors.ts';
import { parseFilters } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import type { Query } from '../query.ts';
import type { Call, Route } from '../route.ts';
import { parseUnixTime } from '../unix-time.ts';

/** `/events`: the past that is asked for, then each event as it happens. */
export function eventRoutes({ host }: Pick<EngineDeps, 'host'>): readonly Route[] {
  return [{ method: 'GET', path: '/events', handle: (call) => streamEvents(host, call) }];
}

async function streamEvents(host: EngineDeps['host'], call: Call): Promise<undefined> {
  const { query, signal } = call;
  const range = rangeFrom(query);
  const filters = eventFiltersFrom(parseFilters(query.text('filters')));
  const send = host.openEvents(range);
  const answer = call.stream({ contentType: 'application/json' });
  await send(async (event) => {
    if (matchesEvent(filters, event)) await answer.write(`${eventLine(event)}\n`);
  }, signal);
}

function rangeFrom(query: Query): { readonly sinceMs?: number; readonly untilMs?: number } {
  const [since, until] = [query.text('since'), query.text('until')].map(parseUnixTime);
  if (since !== undefined && until !== undefined && since > until) {
    const [from, to] = [since, until].map((ms) => Math.floor(ms / 1000));
    throw new EngineError(400, `\`since\` time (${from}) cannot be after \`until\` time (${to})`);
  }
  return { ...(since === undefined ? {} : { sinceMs: since }), ...(until === undefined ? {} : { untilMs: until }) };
}

/**
 * Docker's document of an event. Those of containers and images also have the names of old clients (`status`, `id`,
 * `from`). The nanoseconds are written as digits, because they do not fit a double.
 */
export function eventLine({ type, action, id, atMs, attributes }: HostEvent): string {
  const isOld = type === 'container' || type === 'image';
  return encodeJson({
    ...(isOld ? { status: action, id } : {}),
    ...(type === 'container' && attributes.image !== undefined ? { from: attributes.image } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: SCOPE,
    time: Math.floor(atMs / 1000),
    timeNano: nanosecondsFromMilliseconds(atMs),
  });
}
