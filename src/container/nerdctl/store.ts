import { constants, existsSync, mkdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostIdOf } from '../../lib/dirs.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { isIdentifier } from '../../lib/identifier.ts';
import { LABELS } from '../../lib/labels.ts';
import { portMappingsFrom } from '../../network/port-document.ts';
import type { PublishedPort } from '../../network/port-spec.ts';
import { isNerdctls } from '../../store/state-dir.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { lockFile } from '../../system/flock.ts';
import { inspectOwnFile } from '../../system/own-file.ts';
import { containerExists } from '../container-exists.ts';
import type { ContainerContext } from '../context.ts';

// What nerdctl keeps of containers in files (nerdctl 2: pkg/namestore, pkg/dnsutil/hostsstore, pkg/netutil/networkstore): below its data root a
// directory for each containerd, in it `names/<namespace>/<name>` with the id (`<namespace>/<name>` up to 2.1.5), `etchosts/<namespace>/<id>/` and
// `containers/<namespace>/<id>/`. Whoever changes one holds a flock(2) on the directory of the namespace.

type StoreContext = Pick<ContainerContext, 'clock' | 'dirs' | 'log'> & {
  readonly containerd: Pick<ContainerContext['containerd'], 'address' | 'namespace' | 'containers'>;
};

export interface NamedContainer {
  readonly id: string;
  readonly name: string;
}

const LOCK_TIMEOUT_MS = 10_000;
/** Directories of nerdctl's beside those of namespaces. */
const PARTS: ReadonlySet<string> = new Set(['names', 'etchosts', 'containers', 'volumes']);
/** What nerdctl takes for a name, as Docker does (pkg/identifiers): `web--1` and `my__db` too. A single component of a path. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;
/** The longest name of a file. */
const MAX_NAME_LENGTH = 255;

/**
 * Notes a name where nerdctl looks which are taken, if it was ever used with this containerd, and does the work that makes it true; takes the note
 * back when that fails. A note of a container that is gone is no hindrance.
 *
 * @throws ALREADY_EXISTS with Docker's text when a container has the name, though its labels do not say so
 */
export async function withNerdctlName<T>(ctx: StoreContext, named: NamedContainer, work: () => Promise<T>): Promise<T> {
  try {
    await claimNerdctlName(ctx, named);
    return await work();
  } catch (error) {
    await releaseNerdctlName(ctx, named);
    throw error;
  }
}

async function claimNerdctlName(ctx: StoreContext, { id, name }: NamedContainer): Promise<void> {
  await inNameStores(ctx, async (dir) => {
    if (!isName(name)) return;
    const path = join(dir, name);
    const holder = noteIn(path);
    if (holder !== undefined && holder !== id && (await exists(ctx, holder)))
      throw new HealthctlError(
        'ALREADY_EXISTS',
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove that container, or take another name.`,
      );
    replaceFile(path, id);
  });
}

/** Gives a name back, if the container has it. */
export async function releaseNerdctlName(ctx: StoreContext, { id, name }: NamedContainer): Promise<void> {
  await inNameStores(ctx, (dir) => {
    if (isName(name) && noteIn(join(dir, name)) === id) rmSync(join(dir, name), { force: true });
  });
}

/**
 * Writes what nerdctl wants to find of a container of ours when it removes or renames it: without `meta.json` it warns, and renames nothing.
 * No network is named in it, so that other containers get no line for it into their `hosts`. The file `hosts` beside it is not mounted.
 */
export async function noteForNerdctl(
  ctx: StoreContext,
  { id, name, hostname, domainname }: NamedContainer & { readonly hostname: string; readonly domainname: string },
): Promise<void> {
  await inStore(ctx, 'etchosts', (dir) => {
    const own = join(dir, id);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const meta = { ID: id, Networks: {}, Hostname: hostname, ExtraHosts: {}, Name: name, Domainname: domainname };
    replaceFile(join(own, 'hosts'), '', 0o644);
    replaceFile(join(own, 'meta.json'), JSON.stringify(meta));
  });
}

/** Notes where nerdctl looks for the ports of a container, those of one of ours. None: takes the note back. */
export async function notePorts(ctx: StoreContext, id: string, ports: readonly PublishedPort[]): Promise<void> {
  await inStore(ctx, 'containers', (dir) => {
    const path = join(dir, id, 'network-config.json');
    if (ports.length === 0) return rmSync(path, { force: true });
    mkdirSync(join(dir, id), { recursive: true, mode: 0o700 });
    replaceFile(path, JSON.stringify({ portMappings: portMappingsFrom(ports) }));
  });
}

/**
 * Removes what nerdctl keeps of a container that is gone: all of its own and of ours; of another tool's the directory that each command of
 * nerdctl's makes, if it is empty.
 */
export async function forgetNerdctlFiles(
  ctx: StoreContext,
  { id, labels }: { readonly id: string; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const { namespace } = ctx.containerd;
  const name = labels[LABELS.name];
  if (name !== undefined) await releaseNerdctlName(ctx, { id, name });
  const subject = { namespace, id, labels };
  const isOurs = labels[LABELS.owner] !== undefined;
  const isTheirs = isNerdctls(ctx.dirs, subject);
  if (!isIdentifier(id)) return;
  if (isOurs || isTheirs)
    await inStore(ctx, 'etchosts', (dir) => rmSync(join(dir, id), { recursive: true, force: true }));
  await inStore(ctx, 'containers', (dir) => {
    const own = join(dir, id);
    if (isOurs || isTheirs) rmSync(own, { recursive: true, force: true });
    else removeEmptyDirectory(own);
  });
}

function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTEMPTY' && errno !== 'ENOTDIR') throw error;
  }
}

/** Works where names are noted: in the directory of newer releases, and in that of older ones once such a one has made it. */
async function inNameStores(ctx: StoreContext, work: (dir: string) => Promise<void> | void): Promise<void> {
  await inStore(ctx, 'names', work);
  if (!PARTS.has(ctx.containerd.namespace)) await inStore(ctx, '', work);
}

/**
 * Works in a directory of nerdctl's with its lock held; not at all where nerdctl was never used. What goes wrong with nerdctl's files is a
 * warning: the container itself is ours to deal with.
 *
 * @param part empty: that of older releases for names, which is not made
 */
async function inStore(
  ctx: StoreContext,
  part: 'names' | 'etchosts' | 'containers' | '',
  work: (dir: string) => Promise<void> | void,
): Promise<void> {
  const { clock, dirs, log, containerd } = ctx;
  const { namespace } = containerd;
  try {
    const store = join(dirs.nerdctlDataRoot, hostIdOf(realpathSync(containerd.address)));
    const dir = join(store, part, namespace);
    if (!isIdentifier(namespace) || !existsSync(part === '' ? dir : store)) return;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    const lock = await lockFile({ path: dir, flags, timeoutMs: LOCK_TIMEOUT_MS }, clock);
    try {
      await work(dir);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (hasCode(error, 'ALREADY_EXISTS')) throw error;
    log.warn(`nerdctl's files of a container could not be changed: ${messageOf(error)}`);
  }
}

const isName = (text: string): boolean => text.length <= MAX_NAME_LENGTH && NAME.test(text);

/** An id of a container. */
const MAX_NOTE_BYTES = 4096;

/** It is nerdctl's: what is damaged stays as it is. */
function noteIn(path: string): string | undefined {
  const found = inspectOwnFile(path, { maxBytes: MAX_NOTE_BYTES });
  if (found.kind === 'read') return found.bytes.toString('utf8').trim();
  if (found.kind === 'missing') return undefined;
  throw new HealthctlError('CORRUPT', `${path}: ${found.reason}`);
}

async function exists({ containerd }: StoreContext, id: string): Promise<boolean> {
  return isIdentifier(id) && (await containerExists(containerd.containers, id));
}
