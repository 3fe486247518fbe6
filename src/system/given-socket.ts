import { readlinkSync } from 'node:fs';
import { readKernelFile } from './kernel-file.ts';
import { openLibc, systemError } from './libc.ts';

/** A listening socket that systemd has opened for this process (sd_listen_fds(3)). */
export interface GivenSocket {
  /** A descriptor of its own for a server, which closes it with its end: the socket stays for the next one. */
  duplicate(): number;
  /** Undefined for anything but a Unix socket with a path. */
  readonly path: string | undefined;
}

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
const F_DUPFD_CLOEXEC = 1030;

/** The first socket; undefined if systemd has passed none to this process. */
export function findGivenSocket(env: Readonly<Record<string, string | undefined>>): GivenSocket | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env;
  if (pid !== String(process.pid) || !(Number(count) >= 1)) return undefined;
  return {
    duplicate: () => {
      const libc = openLibc();
      const fd = libc.func('int fcntl(int fd, int command, int least)')(FIRST_FD, F_DUPFD_CLOEXEC, FIRST_FD + 1);
      if (fd < 0) throw systemError(libc, 'fcntl');
      return fd;
    },
    get path() {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${FIRST_FD}`))?.[1];
      return inode === undefined ? undefined : unixPathIn(utf8From(readKernelFile('/proc/self/net/unix') ?? ''), inode);
    },
  };
}

const utf8From = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** Pure: the path of a socket in the text of `/proc/net/unix` (proc_pid_net(5)); undefined without one. */
export function unixPathIn(text: string, inode: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, found, path] = /^\S+: (?:\S+ ){5} *(\d+) (\/.*)$/.exec(line) ?? [];
    if (found === inode) return path;
  }
  return undefined;
}
