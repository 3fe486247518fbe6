import { openLibc, systemError } from './libc.ts';

/** A descriptor that systemd has passed to this process (sd_listen_fds(3)). */
export interface PassedDescriptor {
  readonly fd: number;
  /** FileDescriptorName of a socket unit, by default the unit's name; or the name under which it was stored. */
  readonly name: string;
}

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;

/** @param env of the process: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES */
export function passedDescriptors(
  { LISTEN_PID: of, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' }: Readonly<Record<string, string | undefined>>,
  pid = process.pid,
): readonly PassedDescriptor[] {
  if (of !== `${pid}` || !/^[1-9]\d{0,6}$/.test(count ?? '')) return [];
  const given = names.split(':');
  return Array.from({ length: Number(count) }, (_, index) => ({ fd: FIRST_FD + index, name: given[index] ?? '' }));
}

const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of the same open file, above those that were passed, close-on-exec. Throws a system error: EMFILE. */
export function duplicate(fd: number): number {
  const libc = openLibc();
  const made = libc.func('int fcntl(int fd, int command, int least)')(fd, F_DUPFD_CLOEXEC, FIRST_FD + 1);
  if (made < 0) throw systemError(libc, 'fcntl');
  return made;
}
