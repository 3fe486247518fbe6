import { publishImageEvent } from '../../events/image-events.ts';
import { saveImages } from '../../image/save.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import type { EngineDeps } from '../host.ts';
import type { Call, Route } from '../route.ts';
import { platformOf } from './platform.ts';

type Deps = Pick<EngineDeps, 'ctx'>;

/** `/images/get?names=` and `/images/{name}/get`: an archive. */
export function saveRoutes(deps: Deps): readonly Route[] {
  return [
    { method: 'GET', path: '/images/get', handle: (call) => save(deps, call, call.query.all('names')) },
    { method: 'GET', path: '/images/{name}/get', handle: (call) => save(deps, call, [call.part('name')]) },
  ];
}

/** Docker names a missing image here as it was asked for, without a tag. */
const asGiven =
  (names: readonly string[]) =>
  (error: unknown): never => {
    const missing = names.find((name) => messageOf(error) === `No such image: ${name}:latest`);
    if (missing === undefined) throw error;
    throw new HealthctlError('NOT_FOUND', `No such image: ${missing}`, { cause: error });
  };

/** An image that is missing is refused before the head is sent; what fails later cuts the connection. */
async function save({ ctx }: Deps, call: Call, names: readonly string[]): Promise<undefined> {
  const { signal } = call;
  const platform = platformOf(call, { since: 48 });
  const archive = await saveImages(ctx, { names, signal, ...(platform ? { platform } : {}) }).catch(asGiven(names));
  const answer = call.stream({ contentType: 'application/x-tar' });
  for await (const chunk of archive.bytes()) await answer.write(chunk);
  const publisher = { events: ctx.containerd.events, log: ctx.log };
  for (const id of archive.ids) await publishImageEvent(publisher, 'save', { id });
}
