import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { TaskStdio } from '../containerd/tasks.ts';
import { messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { specOf } from '../record/details.ts';
import { isNerdctls } from '../store/state-dir.ts';
import type { ContainerContext } from './context.ts';

/** nerdctl 2: pkg/logging. */
const LOGGER_QUERY = '_NERDCTL_INTERNAL_LOGGING';

/**
 * Where the output of a container of another tool goes when healthctl starts it: for nerdctl's to nerdctl's own logger,
 * so that `nerdctl logs` shows it; for others nowhere.
 */
export function foreignStdioOf(
  ctx: Pick<ContainerContext, 'dirs' | 'log' | 'containerd'>,
  record: ContainerRecord,
): TaskStdio {
  const terminal = specOf(record)?.process?.terminal === true;
  const uri = loggerOf(ctx, record) ?? '';
  // An empty name means no output to the shim; but a terminal's output needs a destination.
  return { stdin: '', stdout: terminal && uri === '' ? '/dev/null' : uri, stderr: terminal ? '' : uri, terminal };
}

/** A label could name any program or file of the host: only nerdctl's own is trusted. */
function loggerOf(
  { dirs, log, containerd }: Pick<ContainerContext, 'dirs' | 'log' | 'containerd'>,
  { id, labels }: ContainerRecord,
): string | undefined {
  const text = labels[LABELS.logUri];
  if (text === undefined || text === '') return undefined;
  try {
    const isTheirs = isNerdctls(dirs, { namespace: containerd.namespace, id, labels });
    if (isTheirs && isBelieved(new URL(text), dirs.nerdctlDataRoot)) return text;
    log.warn(`the output of container ${id} is discarded: ${LABELS.logUri} does not name nerdctl's logger`);
  } catch (error) {
    log.warn(`the output of container ${id} is discarded: ${LABELS.logUri}: ${messageOf(error)}`);
  }
  return undefined;
}

/** Throws system errors for a missing file. */
function isBelieved({ protocol, pathname, searchParams }: URL, nerdctlDataRoot: string): boolean {
  const path = decodeURIComponent(pathname);
  if (protocol === 'file:') return isBelow(dirname(path), nerdctlDataRoot);
  if (protocol !== 'binary:') return false;
  const [query, ...others] = [...searchParams];
  if (query === undefined || others.length > 0 || query[0] !== LOGGER_QUERY) return false;
  return isTrustedProgram(path) && isBelow(query[1], nerdctlDataRoot);
}

/** A program called nerdctl that only root could have put there. */
function isTrustedProgram(path: string): boolean {
  const real = realpathSync(path);
  const { uid, mode } = statSync(real);
  const directory = statSync(dirname(real));
  // Debian lets the group staff write to /usr/local, as to all other directories there in root's PATH.
  const isClosed = directory.uid === 0 && (directory.mode & 0o002) === 0;
  return basename(path) === 'nerdctl' && uid === 0 && (mode & 0o111) !== 0 && (mode & 0o022) === 0 && isClosed;
}

function isBelow(path: string, root: string): boolean {
  const [realPath, realRoot] = [realpathSync(path), realpathSync(root)];
  return realPath === realRoot || realPath.startsWith(`${realRoot}${sep}`);
}
