import {
  type ContainerPath,
  readContainerPath,
  statContainerPath,
  writeContainerPath,
} from '../../container/copy/archive.ts';
import type { PathStat } from '../../container/copy/path-stat.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { EngineError, withStatuses } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, empty, type Route } from '../route.ts';
import { foundView } from './found.ts';

const PATH = '/containers/{id}/archive';

/** Files of containers, as `docker cp` asks for them. */
export function archiveRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    { method: 'HEAD', path: PATH, handle: (call) => refusing(() => describe(ctx, call)) },
    { method: 'GET', path: PATH, handle: (call) => refusing(() => read(ctx, call)) },
    { method: 'PUT', path: PATH, handle: (call) => refusing(() => write(ctx, call)) },
  ];
}

type Context = EngineDeps['ctx'];

/** What is wrong with a path or an archive is the client's, but Docker's status is 500. */
const refusing = <T>(work: () => Promise<T>): Promise<T> =>
  withStatuses({ CONFLICT: 500, CORRUPT: 500, RUNTIME: 500 }, () => work().catch(asGo));

/** Go's word for an archive that ends too early. */
function asGo(error: unknown): never {
  if (!messageOf(error).startsWith('the tar archive is damaged: Unexpected end')) throw error;
  throw new HealthctlError('CORRUPT', 'unexpected EOF', { cause: error });
}

async function describe(ctx: Context, call: Call): Promise<Answer> {
  const stat = await statContainerPath(ctx, await pathOf(ctx, call));
  return { status: 200, headers: headersOf(stat) };
}

async function read(ctx: Context, call: Call): Promise<undefined> {
  const { stat, content } = await readContainerPath(ctx, await pathOf(ctx, call));
  const answer = call.stream({ contentType: 'application/x-tar', headers: headersOf(stat) });
  for await (const chunk of content) await answer.write(chunk);
}

async function write(ctx: Context, call: Call): Promise<Answer> {
  const path = await pathOf(ctx, call);
  const { query } = call;
  const options = { keepsKinds: query.flag('noOverwriteDirNonDir'), copiesOwner: query.flag('copyUIDGID') };
  await writeContainerPath(ctx, path, call.body(), options);
  return empty(200);
}

async function pathOf(ctx: Context, call: Call): Promise<ContainerPath> {
  const { query, signal } = call;
  const called = call.part('id');
  const path = query.text('path');
  if (path === '') throw new EngineError(400, 'bad parameter: pathcannot be empty');
  return { view: await foundView({ ctx }, call), path, called, signal };
}

const headersOf = (stat: PathStat): Readonly<Record<string, string>> => ({
  'X-Docker-Container-Path-Stat': Buffer.from(encodeJson(stat)).toString('base64'),
});
