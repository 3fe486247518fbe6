import { publishImageEvent } from '../../events/image-events.ts';
import { loadImages } from '../../image/load.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import type { EngineDeps } from '../host.ts';
import type { Call, Route } from '../route.ts';
import { platformOf } from './platform.ts';
import { errorLine, openProgressLines } from './progress-lines.ts';

type Deps = Pick<EngineDeps, 'ctx'>;

/** `/images/load`: an archive of images, streamed into containerd. */
export function loadRoutes(deps: Deps): readonly Route[] {
  return [{ method: 'POST', path: '/images/load', handle: (call) => load(deps, call) }];
}

/** The status is 200 whatever happens, as in Docker: errors are lines. */
async function load({ ctx }: Deps, call: Call): Promise<undefined> {
  const { query, signal } = call;
  platformOf(call, { since: 48 });
  const isQuiet = !query.has('quiet') || query.flag('quiet');
  const lines = openProgressLines(call);
  try {
    const loaded = await loadImages(ctx, {
      what: WHAT,
      source: call.body(),
      snapshotter: ctx.snapshotter,
      signal,
      ...(isQuiet ? {} : { onProgress: lines.onProgress }),
    });
    for (const { familiarNames, id } of loaded) {
      await publishImageEvent({ events: ctx.containerd.events, log: ctx.log }, 'load', { id });
      const names = familiarNames.map((name) => `Loaded image: ${name}\n`);
      for (const stream of names.length > 0 ? names : [`Loaded image ID: ${id}\n`]) await lines.send({ stream });
    }
  } catch (error) {
    if (signal.aborted) throw error;
    await lines.send(errorLine(loadMessageOf(error)));
  }
  await lines.finish();
}

/** Names the upload in messages. */
const WHAT = 'the archive';

/** What Go's reader of tar says of the same bytes: clients search for these texts. */
const GO_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/it is no tar archive, or truncated$|it is truncated$/, 'unexpected EOF'],
  [/it is no tar archive, or damaged$/, 'archive/tar: invalid tar header'],
];

/** The message of a load that failed, in Docker's words where it has some. */
export function loadMessageOf(error: unknown): string {
  const message = messageOf(error);
  if (!hasCode(error, 'CORRUPT')) return message;
  return GO_TEXTS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}
