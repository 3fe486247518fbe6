import { cString, openLibc, systemError } from './libc.ts';

/** Ignored by Node.js, and then by a program that is executed: SIGPIPE, SIGXFSZ. Handlers end with our process. */
const IGNORED: readonly number[] = [13, 25];
const SIG_DFL = 0;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export interface Replacement {
  readonly file: string;
  /** With the program's name as the first one. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Mode bits that files of the program do not get. */
  readonly umask: number;
}

/**
 * Replaces this process by a program (execve(2)): it has our pid, terminal, streams, working directory and parent, so
 * signals and the exit status need nobody who passes them on, and no memory is kept for us.
 *
 * What was not written yet is lost: call it with nothing open. Returns never; throws the system error of execve.
 */
export function replaceProcess({ file, argv, env, umask }: Replacement): never {
  const libc = openLibc();
  const execve = libc.func('int execve(const void *path, const char **argv, const char **envp)');
  const signal = libc.func('intptr_t signal(int number, intptr_t handler)');
  const fcntl = libc.func('int fcntl(int fd, int command, int value)');
  const variables = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const path = cString(file);
  const ours = process.umask(umask);
  // Node.js marks even its streams as not to be inherited.
  const markStreams = (flags: number): void => {
    for (const fd of STREAMS) fcntl(fd, F_SETFD, flags);
  };
  markStreams(0);
  const handlers = IGNORED.map((number) => ({ number, handler: signal(number, SIG_DFL) }));
  execve(path, [...argv, null], [...variables, null]);
  const error = systemError(libc, 'execve', file);
  for (const { number, handler } of handlers) signal(number, handler);
  markStreams(FD_CLOEXEC);
  process.umask(ours);
  throw error;
}

const STREAMS: readonly number[] = [0, 1, 2];
