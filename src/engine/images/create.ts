import { publishImageEvent } from '../../events/image-events.ts';
import { importImage } from '../../image/import.ts';
import { type Platform, parsePlatform } from '../../image/platform.ts';
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
import { repoTagReference, withTag } from './reference.ts';
import { loginOf } from './registry-auth.ts';

type Deps = Pick<EngineDeps, 'ctx' | 'clock'>;

/** `/images/create`: a pull, or an import of a file system. */
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
  const text = query.text('platform');
  const platform = text === '' ? undefined : parsePlatform(text);
  if (from === '') return importFrom(deps, call, platform);
  return pull(deps, { call, platform, reference: referenceFrom(from, query.text('tag')) });
}

/** Only of the request's body: clients send files in it. */
async function importFrom({ ctx }: Deps, call: Call, platform: Platform | undefined): Promise<undefined> {
  const { query, signal } = call;
  const from = query.text('fromSrc');
  if (from !== '-') throw new EngineError(501, `healthctl fetches no file systems: download ${from}, and send it`);
  const repo = query.text('repo');
  const reference = repo === '' ? undefined : repoTagReference(repo, query.text('tag'));
  const message = query.text('message') || `Imported from ${from}`;
  const [what, source, changes] = ['the archive', call.body(), query.all('changes')];
  const { snapshotter } = ctx;
  const id = await importImage(ctx, { what, source, reference, changes, message, platform, snapshotter, signal });
  const lines = openProgressLines(call);
  await lines.send({ status: id });
  await publishImageEvent({ events: ctx.containerd.events, log: ctx.log }, 'import', { id });
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
async function pull(deps: Deps, { call, platform, reference }: Omit<Pull, 'lines'>): Promise<undefined> {
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
      await pullOne(deps, { call, platform, lines, reference: one });
    }
  });
}

interface Pull {
  readonly call: Call;
  readonly lines: ProgressLines;
  readonly platform: Platform | undefined;
  readonly reference: Reference;
}

async function pullOne({ ctx, clock }: Deps, { call, platform, lines, reference }: Pull): Promise<void> {
  const pulled = await pullImage(
    { containerd: ctx.containerd, clock, env: process.env },
    {
      reference,
      snapshotter: ctx.snapshotter,
      login: loginOf(call.headers),
      onProgress: lines.onProgress,
      signal: call.signal,
      ...(platform ? { platform } : {}),
    },
  );
  const name = familiarName(reference);
  await lines.send({ status: `Digest: ${pulled.digest}` });
  const status = pulled.changed ? 'Downloaded newer image for' : 'Image is up to date for';
  await lines.send({ status: `Status: ${status} ${name}` });
  const publisher = { events: ctx.containerd.events, log: ctx.log };
  await publishImageEvent(publisher, 'pull', { id: name, name: familiarRepository(reference) });
}
