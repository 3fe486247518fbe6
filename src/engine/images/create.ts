import { publishImageEvent } from '../../events/image-events.ts';
import { parsePlatform } from '../../image/platform.ts';
import { listTags, pullImage } from '../../image/pull.ts';
import {
  familiarName,
  familiarRepository,
  parseReference,
  type Reference,
  tryParseReference,
} from '../../image/reference.ts';
import { EngineError, withStatuses } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import type { Call, Route } from '../route.ts';
import { openProgressLines, type ProgressLines, withErrorLine } from './progress-lines.ts';
import { withTag } from './reference.ts';
import { loginOf } from './registry-auth.ts';

type Deps = Pick<EngineDeps, 'ctx' | 'clock'>;

/** `/images/create`: a pull. */
export function createRoutes(deps: Deps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/images/create',
      handle: (call) => withStatuses({ DENIED: 500 }, () => create(deps, call)),
    },
  ];
}

function create(deps: Deps, call: Call): Promise<undefined> {
  const { query } = call;
  const from = query.text('fromImage');
  const platform = query.text('platform');
  if (platform !== '') parsePlatform(platform);
  if (from === '') {
    throw new EngineError(501, 'healthctl imports no file systems: build an image FROM scratch with ADD, and load it');
  }
  return pull(deps, call, referenceFrom(from, query.text('tag')));
}

/** The tag may be a digest. Old clients end the name with a colon for all tags. */
function referenceFrom(name: string, tag: string): Reference {
  const reference = parseReference(name.replace(/:$/, ''));
  if (tag === '') return reference;
  const { domain, path } = reference;
  const digested = tag.includes(':') ? tryParseReference(`${domain}/${path}@${tag}`) : undefined;
  return digested ?? withTag(reference, tag);
}

/** A name without a tag means all tags. */
async function pull(deps: Deps, call: Call, reference: Reference): Promise<undefined> {
  const { domain, path } = reference;
  const repository = domain === 'docker.io' ? path : familiarRepository({ domain, path });
  const login = loginOf(call.headers);
  const isWhole = reference.tag === undefined && reference.digest === undefined;
  const world = { clock: deps.clock, env: process.env };
  const tags = isWhole ? await listTags(world, { reference, login, signal: call.signal }) : [];
  const all = isWhole ? tags.map((tag) => ({ domain, path, tag })) : [reference];
  const begin = (one: Reference) => ({ status: `Pulling from ${repository}`, id: one.tag ?? one.digest ?? '' });
  const [first] = all;
  const lines = openProgressLines(call, first && begin(first));
  return withErrorLine(lines, async () => {
    for (const one of all) {
      if (one !== first) await lines.send(begin(one));
      await pullOne(deps, { call, lines, reference: one });
    }
  });
}

interface Pull {
  readonly call: Call;
  readonly lines: ProgressLines;
  readonly reference: Reference;
}

async function pullOne({ ctx, clock }: Deps, { call, lines, reference }: Pull): Promise<void> {
  const platform = call.query.text('platform');
  const pulled = await pullImage(
    { containerd: ctx.containerd, clock, env: process.env },
    {
      reference,
      snapshotter: ctx.snapshotter,
      login: loginOf(call.headers),
      onProgress: lines.onProgress,
      signal: call.signal,
      ...(platform === '' ? {} : { platform: parsePlatform(platform) }),
    },
  );
  const name = familiarName(reference);
  await lines.send({ status: `Digest: ${pulled.digest}` });
  const status = pulled.changed ? 'Downloaded newer image for' : 'Image is up to date for';
  await lines.send({ status: `Status: ${status} ${name}` });
  const publisher = { events: ctx.containerd.events, log: ctx.log };
  await publishImageEvent(publisher, 'pull', { id: name, name: familiarRepository(reference) });
}
