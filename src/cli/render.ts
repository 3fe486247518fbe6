import { writeSync } from 'node:fs';
import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { printable, printableLine } from '../lib/printable.ts';
import type { CommandResult } from './command.ts';
import { exitCodeOf } from './grammar/usage.ts';
import { traceInSource } from './trace.ts';

/** An output. `write` returns when the text is written, and throws a HealthctlError if it cannot be. */
interface Sink {
  write(text: string): void;
}

/** The two outputs of healthctl. */
export interface Output {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly debug: boolean;
}

/** Thrown if stdout has no reader any more: the process ends silently, as if killed by SIGPIPE. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

/** stdout and stderr of the process. A broken stdout throws BrokenPipe; text that stderr does not accept is lost. */
export function processOutput(debug: boolean): Output {
  return { debug, stdout: { write: (text) => writeAll(1, text) }, stderr: { write: writeStderr } };
}

/** A logger that prints warnings, and debug lines with --debug. */
export function logTo({ stderr, debug }: Output): Logger {
  return {
    warn: (message) => stderr.write(`WARNING: ${printableLine(message)}\n`),
    debug: (message) => {
      if (debug) stderr.write(`DEBUG: ${printableLine(message)}\n`);
    },
  };
}

/**
 * Prints the result of a command and returns the exit status.
 *
 * @param failureCode exit status of errors without their own
 */
export function renderResult(output: Output, result: CommandResult, failureCode: number): number {
  if (result.stdout !== undefined && result.stdout !== '') output.stdout.write(result.stdout);
  for (const warning of result.warnings ?? []) logTo(output).warn(warning);
  for (const error of result.errors ?? []) renderError(output, error);
  const [first] = result.errors ?? [];
  return result.exitCode ?? (first === undefined ? 0 : exitCodeOf(first, failureCode));
}

/** Prints an error: one line, a hint on the next, and with --debug its stack. */
export function renderError(output: Output, error: unknown): void {
  output.stderr.write(errorText(error));
  if (output.debug) output.stderr.write(causeText(error));
}

function errorText(error: unknown): string {
  const message = printableLine(messageOf(error)) || 'unknown error';
  const hint = error instanceof HealthctlError && error.hint !== undefined ? `${printable(error.hint)}\n` : '';
  return `healthctl: ${message}\n${hint}`;
}

/** The stack of an error and of everything that caused it. */
function causeText(error: unknown): string {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let current = error, depth = 0; current !== undefined && !seen.has(current) && depth < 20; depth += 1) {
    seen.add(current);
    lines.push(`${depth === 0 ? '' : 'caused by: '}${stackOf(current)}`);
    current = current instanceof Error ? current.cause : undefined;
  }
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = error instanceof HealthctlError ? ` [${error.code}]` : '';
  const stack = traceInSource(error.stack ?? `${error.name}: ${error.message}`);
  const [head = '', ...frames] = stack.split('\n');
  return [`${head}${code}`, ...frames].join('\n');
}

function writeStderr(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // There is no output left to report it.
  }
}

/** Writes everything before it returns. Without streams: loading them would cost each command 2 ms. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') waitBriefly();
      else throw writeError(fd, error);
    }
  }
}

/** Another process made the pipe non-blocking, and it is full: sleeps without running anything else. */
function waitBriefly(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

function writeError(fd: number, error: unknown): Error {
  if (errnoOf(error) === 'EPIPE') return new BrokenPipe('EPIPE', { cause: error });
  const name = fd === 1 ? 'stdout' : 'stderr';
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'no space left on device',
    EBADF: 'it is closed',
    EIO: 'input/output error',
  };
  const reason = reasons[errnoOf(error) ?? ''] ?? messageOf(error);
  return new HealthctlError('EXHAUSTED', `cannot write to ${name}: ${reason}`, { cause: error });
}
