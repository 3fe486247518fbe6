import {
  closeSync,
  constants,
  existsSync,
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
export const OUTPUT_STREAMS = ['stdout', 'stderr'] as const;
export type OutputStream = (typeof OUTPUT_STREAMS)[number];

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
  /** Whether output is kept; else it goes to /dev/null. */
  readonly keepsOutput: boolean;
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
export function prepareStdio(request: StdioRequest): TaskStdio {
  const { dataDir, runDir, openStdin, terminal } = request;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    forgetExecNotes(runDir);
    // The shim's descriptors are found by name later, and the kernel names them without symbolic links.
    const [data, run] = [realpathSync(dataDir), realpathSync(runDir)];
    const outputs = request.keepsOutput ? prepareOutputs(data, terminal) : noOutputs(terminal);
    const stdin = join(run, 'stdin');
    rmSync(stdin, { force: true });
    if (openStdin) makeFifo(stdin);
    return { stdin: openStdin ? stdin : '', ...outputs, terminal };
  } catch (cause) {
    throw describe(cause);
  }
}

type Outputs = Pick<TaskStdio, 'stdout' | 'stderr'>;

function prepareOutputs(dataDir: string, terminal: boolean): Outputs {
  const stdout = liveFileOf(dataDir, 'stdout');
  makeOutputFile(stdout);
  if (terminal && sizeOf(stdout) > 0) {
    const aside = join(dataDir, `stdout.${nextNumber(dataDir)}.log`);
    renameSync(stdout, aside);
    if (existsSync(timesPathOf(stdout))) renameSync(timesPathOf(stdout), timesPathOf(aside));
    makeOutputFile(stdout);
  }
  const stderr = terminal ? '' : liveFileOf(dataDir, 'stderr');
  if (stderr !== '') makeOutputFile(stderr);
  return { stdout, stderr };
}

/** For the shim no name is no output; but of a terminal it has to put it somewhere. */
const noOutputs = (terminal: boolean): Outputs => ({ stdout: terminal ? '/dev/null' : '', stderr: '' });

/** When the output of a file came: beside it. `…/stdout.log` → `…/stdout.times` */
export function timesPathOf(logPath: string): string {
  return logPath.replace(/\.log$/, '.times');
}

/** The file that a stream goes to now. */
export function liveFileOf(dataDir: string, stream: OutputStream): string {
  return join(dataDir, `${stream}.log`);
}

/** Removes what a container whose output is not kept has printed while somebody looked on. */
export function forgetOutput(dataDir: string): void {
  for (const path of OUTPUT_STREAMS.flatMap((stream) => outputFilesOf(dataDir, stream))) rmSync(path, { force: true });
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
