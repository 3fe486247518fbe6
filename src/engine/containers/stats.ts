import { statsDocument } from '../../container/stats/document.ts';
import { followStats } from '../../container/stats/follow.ts';
import { readSample } from '../../container/stats/sample.ts';
import { encodeJson } from '../../lib/json.ts';
import { EngineError } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';
import { foundView } from './found.ts';

/** What a container uses, each second or once. */
export function statsRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [{ method: 'GET', path: '/containers/{id}/stats', handle: (call) => sendStats(ctx, call) }];
}

/**
 * Of a container that does not run, everything is zero, and a stream stays open. Once, and not at once: two samples a
 * second apart, so that the share of a processor can be computed.
 */
async function sendStats(ctx: EngineDeps['ctx'], call: Call): Promise<Answer | undefined> {
  const { query, version, signal } = call;
  const isStream = query.has('stream') ? query.flag('stream') : true;
  const isOneShot = isSince(version, 41) && query.flag('one-shot');
  const view = await foundView({ ctx }, call);
  const names = { id: view.record.id, name: view.name };
  if (isStream && isOneShot) throw new EngineError(400, 'cannot have stream=true and one-shot=true');
  if (isStream) {
    const answer = call.stream({});
    for await (const { now, before } of followStats(ctx, view, signal))
      await answer.write(`${encodeJson(statsDocument(now, before, names))}\n`);
    return undefined;
  }
  const first = readSample(view, ctx.clock.now());
  if (!first) return json(statsDocument(undefined, undefined, names));
  if (isOneShot) return json(statsDocument(first, undefined));
  const samples = followStats(ctx, view, signal);
  await samples.next();
  const { value } = await samples.next();
  await samples.return(undefined);
  return json(statsDocument(value?.now, value?.before, names));
}
