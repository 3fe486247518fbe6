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

// nerdctl's files about containers (nerdctl 2: pkg/namestore, pkg/dnsutil/hostsstore, pkg/netutil/networkstore). Its
// data root has a directory for each containerd; in it are `names/<namespace>/<name>` with the id (`<namespace>/<name>`
// up to 2.1.5), `etchosts/<namespace>/<id>/` and `containers/<namespace>/<id>/`. A writer holds a flock(2) on the
// directory of the namespace.

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
/** Names that nerdctl accepts, like Docker (pkg/identifiers): also `web--1` and `my__db`. A single path component. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;
/** The longest file name. */
const MAX_NAME_LENGTH = 255;

/**
 * Records a name in nerdctl's store, if nerdctl was ever used with this containerd, and runs the work that creates the
 * name; removes the record if the work fails. A record of a container that is gone does not block.
 *
 * @throws ALREADY_EXISTS with Docker's text if a container has the name, though its labels do not say so
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
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    replaceFile(path, id);
  });
}

/** Removes the record of a name, if it belongs to the container. */
export async function releaseNerdctlName(ctx: StoreContext, { id, name }: NamedContainer): Promise<void> {
  await inNameStores(ctx, (dir) => {
    if (isName(name) && noteIn(join(dir, name)) === id) rmSync(join(dir, name), { force: true });
  });
}

/**
 * Writes the files that nerdctl needs to remove or rename a container of ours: without `meta.json` it warns, and
 * renames nothing. The file names no network, so that other containers' `hosts` get no line for it. The file `hosts`
 * beside it is not mounted.
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

/** Records the ports of a container of ours for nerdctl. Without ports: removes the record. */
export async function notePorts(ctx: StoreContext, id: string, ports: readonly PublishedPort[]): Promise<void> {
  await inStore(ctx, 'containers', (dir) => {
    const path = join(dir, id, 'network-config.json');
    if (ports.length === 0) return rmSync(path, { force: true });
    mkdirSync(join(dir, id), { recursive: true, mode: 0o700 });
    replaceFile(path, JSON.stringify({ portMappings: portMappingsFrom(ports) }));
  });
}

/**
 * Removes nerdctl's files of a container that is gone: all files of its own containers and ours; for another tool's
 * only the directory that each nerdctl command creates, if it is empty.
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

/** Runs work in the name stores: the directory of newer releases, and that of older ones if it exists. */
async function inNameStores(ctx: StoreContext, work: (dir: string) => Promise<void> | void): Promise<void> {
  await inStore(ctx, 'names', work);
  if (!PARTS.has(ctx.containerd.namespace)) await inStore(ctx, '', work);
}

/**
 * Runs work in a directory of nerdctl's with its lock held; does nothing if nerdctl was never used. Failures with
 * nerdctl's files are warnings: the container itself is ours to handle.
 *
 * @param part empty: the names directory of older releases, which is never created
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

/** The files contain an id. */
const MAX_NOTE_BYTES = 4096;

/** It is nerdctl's: a damaged file stays unchanged. */
function noteIn(path: string): string | undefined {
  const found = inspectOwnFile(path, { maxBytes: MAX_NOTE_BYTES });
  if (found.kind === 'read') return found.bytes.toString('utf8').trim();
  if (found.kind === 'missing') return undefined;
  throw new HealthctlError('CORRUPT', `${path}: ${found.reason}`);
}

async function exists({ containerd }: StoreContext, id: string): Promise<boolean> {
  return isIdentifier(id) && (await containerExists(containerd.containers, id));
}
