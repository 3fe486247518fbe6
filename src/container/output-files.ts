import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TaskStdio } from '../containerd/tasks.ts';
import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { makeFifo } from '../system/fifo.ts';
import { forgetExecNotes } from './exec-notes.ts';

/** The two streams that are kept. */
export type OutputStream = 'stdout' | 'stderr';

/** The directories of one container. */
export interface StdioPlace {
  /** Keeps the output over a reboot. */
  readonly dataDir: string;
  /** On tmpfs: FIFOs. */
  readonly runDir: string;
}

export interface StdioRequest extends StdioPlace {
  /** `-i`. */
  readonly openStdin: boolean;
  /** `-t`. */
  readonly terminal: boolean;
}

/**
 * Makes what the main process of a container reads from and writes to; to be called before each start.
 *
 * Output goes to plain files, one for each stream, which the shim itself appends to: nobody of ours stands between, and the container
 * never waits for a reader. With a terminal there is one stream, and the shim of containerd 1.6 writes it from the beginning of the file
 * (it opens it like a FIFO, without O_APPEND, and takes no `file://` there): the file of the run before is put aside under a number.
 *
 * stdin is a FIFO, made anew, so that nobody who still holds the one of an earlier run can write into this one.
 *
 * @throws EXHAUSTED, DENIED, CONFIG
 */
export function prepareStdio({ dataDir, runDir, openStdin, terminal }: StdioRequest): TaskStdio {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    forgetExecNotes(runDir);
    // The shim's descriptors are found by name later, and the kernel names them without symbolic links.
    const [data, run] = [realpathSync(dataDir), realpathSync(runDir)];
    const stdout = liveFileOf(data, 'stdout');
    makeOutputFile(stdout);
    if (terminal && sizeOf(stdout) > 0) {
      renameSync(stdout, join(data, `stdout.${nextNumber(data)}.log`));
      makeOutputFile(stdout);
    }
    const stderr = terminal ? '' : liveFileOf(data, 'stderr');
    if (stderr !== '') makeOutputFile(stderr);
    const stdin = join(run, 'stdin');
    rmSync(stdin, { force: true });
    if (openStdin) makeFifo(stdin);
    return { stdin: openStdin ? stdin : '', stdout, stderr, terminal };
  } catch (cause) {
    throw describe(cause);
  }
}

/** The file that a stream goes to now. */
export function liveFileOf(dataDir: string, stream: OutputStream): string {
  return join(dataDir, `${stream}.log`);
}

/** All files of a stream, oldest first, the live one last; none when the container was never started. */
export function outputFilesOf(dataDir: string, stream: OutputStream): readonly string[] {
  const names = namesIn(dataDir);
  const numbered = numbersIn(names, stream).map((number) => `${stream}.${number}.log`);
  const live = names.includes(`${stream}.log`) ? [`${stream}.log`] : [];
  return [...numbered, ...live].map((name) => join(dataDir, name));
}

function nextNumber(dataDir: string): number {
  return (numbersIn(namesIn(dataDir), 'stdout').at(-1) ?? 0) + 1;
}

function numbersIn(names: readonly string[], stream: OutputStream): readonly number[] {
  return names
    .map((name) => /^(stdout|stderr)\.(\d{1,9})\.log$/.exec(name))
    .filter((match) => match?.[1] === stream)
    .map((match) => Number(match?.[2]))
    .sort((a, b) => a - b);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function makeOutputFile(path: string): void {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    if (!fstatSync(fd).isFile()) throw new HealthctlError('CONFIG', `${path} is not a regular file`);
  } finally {
    closeSync(fd);
  }
}

function sizeOf(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

function describe(cause: unknown): Error {
  if (cause instanceof HealthctlError) return cause;
  const errno = errnoOf(cause) ?? '';
  const message = `cannot prepare the output of the container: ${messageOf(cause)}`;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return new HealthctlError('EXHAUSTED', message, { cause });
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS')
    return new HealthctlError('DENIED', message, { cause });
  return new HealthctlError('CONFIG', message, { cause });
}
