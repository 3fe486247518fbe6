import { constants } from 'node:fs';
import { join } from 'node:path';
import { namespaceRunDir } from '../lib/dirs.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { randomBelow } from '../lib/random.ts';
import { isNerdctls } from '../store/state-dir.ts';
import { lockFile } from '../system/flock.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import type { ContainerContext } from './context.ts';

/** Docker: daemon/names/names.go. */
const VALID_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Throws INVALID with Docker's text. */
export function checkName(name: string): void {
  if (VALID_NAME.test(name)) return;
  throw new HealthctlError('INVALID', `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/**
 * Throws ALREADY_EXISTS with Docker's text if a container of ours or nerdctl's has this name, or any container has it
 * as its id. The label of another tool's container reserves no name: an image may carry it.
 *
 * @param forId the container that gets the name: it may be named by its own id
 */
export async function refuseTakenName(
  ctx: Pick<ContainerContext, 'containerd' | 'dirs'>,
  name: string,
  forId?: string,
): Promise<void> {
  const found = await ctx.containerd.containers.list([
    `labels.${JSON.stringify(LABELS.name)}==${JSON.stringify(name)}`,
    `id==${JSON.stringify(name)}`,
  ]);
  const { namespace } = ctx.containerd;
  const taken = found.find(
    ({ id, labels }) =>
      (id === name && id !== forId) ||
      labels[LABELS.owner] !== undefined ||
      isNerdctls(ctx.dirs, { namespace, id, labels }),
  );
  if (!taken) return;
  throw new HealthctlError(
    'ALREADY_EXISTS',
    `Conflict. The container name "/${name}" is already in use by container "${taken.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

/** An unused name. Each further try is less likely to collide. */
export async function inventName(ctx: Pick<ContainerContext, 'containerd'>): Promise<string> {
  for (let tries = 0; tries < 20; tries += 1) {
    const name = `${pick(ADJECTIVES)}_${pick(NOUNS)}${tries === 0 ? '' : randomBelow(10 ** Math.min(tries, 6))}`;
    const [taken] = await ctx.containerd.containers.list([
      `labels.${JSON.stringify(LABELS.name)}==${JSON.stringify(name)}`,
    ]);
    if (!taken) return name;
  }
  throw new HealthctlError('EXHAUSTED', 'no free container name was found', { hint: 'give one with --name' });
}

/** Runs `work` while no other process of ours assigns a name in this namespace. */
export async function withNamesLock<T>(
  ctx: ContainerContext,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const dir = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  makeOwnDirectory(dir, ctx.dirs);
  const lock = await lockFile(
    {
      path: join(dir, '.names.lock'),
      flags: constants.O_RDWR | constants.O_CREAT,
      timeoutMs: 30_000,
      signal,
      onFault: ctx.dirs.onFault,
    },
    ctx.clock,
  );
  try {
    return await work();
  } finally {
    lock.release();
  }
}

const pick = (words: readonly string[]): string => words[randomBelow(words.length)] ?? 'calm';

const ADJECTIVES =
  'able alert ample brave brisk calm candid clear clever cosy deft eager early exact fair fine fit fond free fresh gentle glad good grand hale handy happy hardy keen kind light lively lucky merry mild neat nimble noble patient plain prompt proud quick quiet ready robust sane sharp smart sober solid sound spry stable steady stout sunny swift tidy true vivid warm well wise'.split(
    ' ',
  );
const NOUNS =
  'acorn alder aspen badger beech birch bison brook cedar clover cobra comet crane curlew dune eagle egret elder elm falcon fern finch fox gecko gull hare hawk hazel heron ibex iris ivy jay koala lark lemur linden lion lotus lynx magpie maple marten mole newt oak olive orca osprey otter owl panda pine plover poplar puma quail raven robin rowan salmon seal sorrel sparrow stork swan tern thistle tiger toad trout tulip vole walrus willow wolf wren yak zebra'.split(
    ' ',
  );
