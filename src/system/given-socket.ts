import { readlinkSync } from 'node:fs';
import { isStoredName } from './descriptor-store.ts';
import { readKernelFile } from './kernel-file.ts';
import { duplicate, passedDescriptors } from './passed-descriptors.ts';

/** A listening socket that systemd has opened for this process (sd_listen_fds(3)). */
export interface GivenSocket {
  /** A descriptor of its own for a server, which closes it with its end: the socket stays for the next one. */
  duplicate(): number;
  /** Undefined for anything but a Unix socket with a path. */
  readonly path: string | undefined;
}

/** The first socket of a socket unit; undefined if systemd has passed none to this process. */
export function findGivenSocket(env: Readonly<Record<string, string | undefined>>): GivenSocket | undefined {
  const given = passedDescriptors(env).find(({ name }) => !isStoredName(name));
  if (!given) return undefined;
  return {
    duplicate: () => duplicate(given.fd),
    get path() {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${given.fd}`))?.[1];
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
