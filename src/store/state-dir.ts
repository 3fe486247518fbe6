import { join, resolve } from 'node:path';
import { runDirOf, type StateDirs } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import { realPath } from '../system/real-path.ts';
import type { HealthSubject } from './health-store.ts';

/** The owner of a state directory decides what we may do: we create and remove ours, and only use nerdctl's. */
export interface StateDir {
  readonly path: string;
  readonly isOurs: boolean;
}

/**
 * The state directory of a container: ours, except for a container of nerdctl's.
 *
 * `ignored` is a path in the label that is not nerdctl's own directory for this container: nothing is read, written or
 * removed there.
 */
export function stateDirOf(dirs: StateDirs, subject: HealthSubject): StateDir & { readonly ignored?: string } {
  const ours = { path: runDirOf(dirs, subject), isOurs: true };
  const named = subject.labels[LABELS.stateDir];
  if (subject.labels[LABELS.owner] !== undefined || named === undefined || isRunDir(dirs, subject, named)) return ours;
  const path = ofNerdctl(dirs, subject, named);
  if (path === undefined) return { ...ours, ignored: named };
  return realPath(path) === undefined ? ours : { path, isOurs: false };
}

/**
 * Whether nerdctl made a container. Its labels alone prove nothing, since an image may carry them: the state directory
 * must be exactly the one that nerdctl gives to this container, `<data root>/<hash of the
 * address>/containers/<namespace>/<id>`.
 */
export function isNerdctls(dirs: StateDirs, subject: HealthSubject): boolean {
  const named = subject.labels[LABELS.stateDir];
  return (
    subject.labels[LABELS.owner] === undefined && named !== undefined && ofNerdctl(dirs, subject, named) !== undefined
  );
}

/**
 * The label to write together with a container's health label: nerdctl looks for `health.json` in the directory that it
 * names, and without it in its user's working directory. Empty if the label is already right, belongs to nerdctl, or
 * names an unknown directory.
 */
export function missingStateDirLabel(dirs: StateDirs, subject: HealthSubject): Readonly<Record<string, string>> {
  const named = subject.labels[LABELS.stateDir];
  const path = runDirOf(dirs, subject);
  return named === undefined || (named !== path && isRunDir(dirs, subject, named)) ? { [LABELS.stateDir]: path } : {};
}

/**
 * Whether a path is the container's directory below a run root, ours or that of another healthctl that checked it: the
 * value that `missingStateDirLabel` gives.
 */
const isRunDir = ({ hostId, nerdctlDataRoot }: StateDirs, { namespace, id }: HealthSubject, named: string): boolean =>
  named.endsWith(`/${hostId}/${namespace}/${id}`) && !resolve(named).startsWith(`${resolve(nerdctlDataRoot)}/`);

/** The directory, with symbolic links resolved if it exists; undefined if it is not the container's own. */
function ofNerdctl(dirs: StateDirs, { namespace, id }: HealthSubject, named: string): string | undefined {
  const root = resolve(dirs.nerdctlDataRoot);
  const path = resolve(named);
  const real = realPath(path);
  const base = real === undefined ? root : (realPath(root) ?? root);
  const expected = join(base, dirs.hostId, 'containers', namespace, id);
  return (real ?? path) === expected ? expected : undefined;
}
