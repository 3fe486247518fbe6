import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { HealthctlError } from '../lib/errors.ts';
import { realPath } from '../system/real-path.ts';

/** Directories of the system or of other programs, even if named as ours. */
const SYSTEMS = new Set([
  ...[
    '/',
    '/bin',
    '/boot',
    '/dev',
    '/etc',
    '/home',
    '/lib',
    '/lib64',
    '/media',
    '/mnt',
    '/opt',
    '/proc',
    '/root',
    '/run',
    '/sbin',
  ],
  ...[
    '/srv',
    '/sys',
    '/tmp',
    '/usr',
    '/usr/local',
    '/usr/lib',
    '/var',
    '/var/cache',
    '/var/lib',
    '/var/log',
    '/var/run',
    '/var/tmp',
  ],
  ...['/run/containerd', '/run/systemd', '/var/lib/containerd', '/var/lib/docker', '/var/lib/nerdctl'],
]);

/**
 * Refuses a run root or data root from which nothing may be removed. A missing one is accepted.
 *
 * @param flag the global flag that names it
 * @throws INVALID
 */
export function checkRoot(root: string, flag: '--run-root' | '--data-root'): void {
  const path = resolve(root);
  const refuse = (reason: string): HealthctlError =>
    new HealthctlError('INVALID', `nothing is removed from ${path}: ${reason}`, {
      hint: `give the directory that healthctl was used with: ${flag}`,
    });
  if (SYSTEMS.has(path) || SYSTEMS.has(realPath(path) ?? path)) throw refuse('it is not a directory of healthctl');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) throw refuse('it is a symbolic link');
  if (stat && !stat.isDirectory()) throw refuse('it is not a directory');
}

/** Whether there is a directory, not a link, at the path. */
export function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
