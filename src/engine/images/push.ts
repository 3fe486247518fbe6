import { publishImageEvent } from '../../events/image-events.ts';
import type { Platform } from '../../image/platform.ts';
import { pushImage, tagsToPush } from '../../image/push.ts';
import { familiarName, familiarRepository, parseReference, type Reference } from '../../image/reference.ts';
import type { EngineDeps } from '../host.ts';
import type { Call, Route } from '../route.ts';
import { platformOf } from './platform.ts';
import { openProgressLines, type ProgressLines, withErrorLine } from './progress-lines.ts';
import { repoTagReference } from './reference.ts';
import { loginOf } from './registry-auth.ts';

type Deps = Pick<EngineDeps, 'ctx' | 'clock'>;

/** `/images/{name}/push`: without a tag all of the repository's. */
export function pushRoutes(deps: Deps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/images/{name}/push',
      handle: async (call) => {
        const [name, tag] = [call.part('name'), call.query.text('tag')];
        const reference = tag === '' ? parseReference(name) : repoTagReference(name, tag);
        const platform = platformOf(call, { since: 46 });
        const lines = openProgressLines(call);
        const { domain, path } = reference;
        return withErrorLine(lines, async () => {
          await lines.send({ status: `The push refers to repository [${domain}/${path}]` });
          const references =
            reference.tag === undefined ? await tagsToPush(deps.ctx.containerd, reference, call.signal) : [reference];
          for (const one of references) await push(deps, { call, platform, lines, reference: one });
        });
      },
    },
  ];
}

interface Push {
  readonly call: Call;
  readonly platform: Platform | undefined;
  readonly lines: ProgressLines;
  readonly reference: Reference;
}

async function push({ ctx, clock }: Deps, { call, platform, lines, reference }: Push): Promise<void> {
  const { digest, size } = await pushImage(
    { containerd: ctx.containerd, clock, env: process.env },
    { reference, platform, login: loginOf(call.headers), onProgress: lines.onProgress, signal: call.signal },
  );
  const { tag = '' } = reference;
  await lines.send({ status: `${tag}: digest: ${digest} size: ${size}` });
  await lines.send({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
  const name = familiarRepository(reference);
  await publishImageEvent({ events: ctx.containerd.events, log: ctx.log }, 'push', {
    id: familiarName(reference),
    name,
  });
}
