import { closeSync, constants, existsSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskStdio } from '../../containerd/tasks.ts';
import { errnoOf, fileReasonOf, HealthctlError } from '../../lib/errors.ts';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import { makeFifo } from '../../system/fifo.ts';
import { makeOwnDirectory, openOwnFile, removeOwn } from '../../system/own-file.ts';
import { forgetExecNotes } from '../exec/exec-notes.ts';

/** The two output streams. */
export const OUTPUT_STREAMS = ['stdout', 'stderr'] as const;
export type OutputStream = (typeof OUTPUT_STREAMS)[number];

/** The directories of one container. */
interface StdioDirs {
  /** Stores the output across a reboot. */
  readonly dataDir: string;
  /** On tmpfs: FIFOs. */
  readonly runDir: string;
}

export interface StdioRequest extends StdioDirs, FaultReporter {
  /** `-i`. */
  readonly openStdin: boolean;
  /** `-t`. */
  readonly terminal: boolean;
  /** Whether to keep output; otherwise it goes to /dev/null. */
  readonly keepsOutput: boolean;
}

/**
 * Creates the files and FIFOs of a container's main process; call it before each start.
 *
 * Output goes to plain files, one for each stream, to which the shim itself appends: no process of ours is in between,
 * and the container never waits for a reader. With a terminal there is one stream, and the shim of containerd 1.6
 * writes from the beginning of the file (it opens it like a FIFO, without O_APPEND, and accepts no `file://` there):
 * the file of the previous run is renamed to a number.
 *
 * stdin is a new FIFO each time, so that a process that still holds the one of an earlier run cannot write into this
 * one.
 *
 * @throws EXHAUSTED, DENIED, CONFIG
 */
export function prepareStdio(request: StdioRequest): TaskStdio {
  const { dataDir, runDir, openStdin, terminal } = request;
  try {
    makeOwnDirectory(dataDir, request);
    makeOwnDirectory(runDir, request);
    forgetExecNotes(runDir);
    // The shim's descriptors are found by name later, and the kernel's names have no symbolic links.
    const [data, run] = [realpathSync(dataDir), realpathSync(runDir)];
    const outputs = request.keepsOutput ? prepareOutputs(data, request) : noOutputs(terminal);
    const stdin = join(run, 'stdin');
    removeOwn(stdin);
    if (openStdin) makeFifo(stdin);
    return { stdin: openStdin ? stdin : '', ...outputs, terminal };
  } catch (cause) {
    throw describe(cause, dataDir);
  }
}

type Outputs = Pick<TaskStdio, 'stdout' | 'stderr'>;

function prepareOutputs(dataDir: string, request: StdioRequest): Outputs {
  const { terminal } = request;
  const stdout = liveFileOf(dataDir, 'stdout');
  if (makeOutputFile(stdout, request) > 0 && terminal) {
    const aside = join(dataDir, `stdout.${nextNumber(dataDir)}.log`);
    renameSync(stdout, aside);
    if (existsSync(timesPathOf(stdout))) renameSync(timesPathOf(stdout), timesPathOf(aside));
    makeOutputFile(stdout, request);
  }
  const stderr = terminal ? '' : liveFileOf(dataDir, 'stderr');
  if (stderr !== '') makeOutputFile(stderr, request);
  return { stdout, stderr };
}

/** An empty name means no output to the shim; but a terminal's output needs a destination. */
const noOutputs = (terminal: boolean): Outputs => ({ stdout: terminal ? '/dev/null' : '', stderr: '' });

/** The index of a file's times, beside it. `…/stdout.log` → `…/stdout.times` */
export function timesPathOf(logPath: string): string {
  return logPath.replace(/\.log$/, '.times');
}

/** Both streams in Docker's json-file format, for log shippers: see copyToJsonLog. */
export function jsonLogPathOf(dataDir: string, id: string): string {
  return join(dataDir, `${id}-json.log`);
}

/** The file that a stream is now written to. */
export function liveFileOf(dataDir: string, stream: OutputStream): string {
  return join(dataDir, `${stream}.log`);
}

/** Removes output of a container without a log, written for an attached client. */
export function forgetOutput(dataDir: string): void {
  for (const path of OUTPUT_STREAMS.flatMap((stream) => outputFilesOf(dataDir, stream))) removeOwn(path);
}

/** All files of a stream, oldest first, the live one last; none if the container was never started. */
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
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** @returns its size */
function makeOutputFile(path: string, faults: FaultReporter): number {
  const { fd, stats } = openOwnFile(path, constants.O_WRONLY | constants.O_APPEND, faults);
  closeSync(fd);
  return stats.size;
}

function describe(cause: unknown, dataDir: string): Error {
  if (cause instanceof HealthctlError) return cause;
  const errno = errnoOf(cause) ?? '';
  const message = `cannot prepare the output of the container in ${dataDir}: ${fileReasonOf(cause)}`;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return new HealthctlError('EXHAUSTED', message, { cause });
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS')
    return new HealthctlError('DENIED', message, { cause });
  return new HealthctlError('CONFIG', message, { cause });
}
