import { closeSync, openSync, readlinkSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { type Libc, openLibc, systemError } from './libc.ts';
import { peerPid } from './peer-pid.ts';

// uapi/linux/sched.h
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;

const OWN = '/proc/self/ns/mnt';

/**
 * Runs `work` where containerd sees its mounts: a service of systemd with a protected file system has a mount namespace
 * of its own, to which mounts of the host come, but from which none go. All paths in `work` are those of containerd.
 *
 * @param address the path of containerd's socket; while it is down, `work` runs here
 * @param work must be synchronous: only this thread enters the namespace, and leaves it in the same turn
 * @throws DENIED if the unit of the service does not allow it
 */
export function inHostMounts<T>(address: string, work: () => T): T {
  const pid = peerPid(address);
  const path = `/proc/${pid}/ns/mnt`;
  if (pid === undefined || isOwn(path)) return work();
  const libc = openLibc();
  const [home, host] = [openSync(OWN, 'r'), openSync(path, 'r')];
  try {
    return workIn(libc, { home, host }, work);
  } finally {
    closeSync(home);
    closeSync(host);
  }
}

/** Also if it cannot be known. */
function isOwn(path: string): boolean {
  try {
    return readlinkSync(path) === readlinkSync(OWN);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return true;
  }
}

function workIn<T>(libc: Libc, { home, host }: { readonly home: number; readonly host: number }, work: () => T): T {
  const setns = libc.func('int setns(int fd, int type)');
  // The kernel refuses a thread that shares its root with others.
  if (libc.func('int unshare(int flags)')(CLONE_FS) !== 0) throw systemError(libc, 'unshare');
  if (setns(host, CLONE_NEWNS) !== 0) {
    throw new HealthctlError('DENIED', 'the monitor may not mount files for containers', {
      cause: systemError(libc, 'setns'),
      hint: 'write its unit again: healthctl daemon install',
    });
  }
  try {
    return work();
  } finally {
    // It would see other files than the rest of the process.
    if (setns(home, CLONE_NEWNS) !== 0) process.abort();
  }
}
