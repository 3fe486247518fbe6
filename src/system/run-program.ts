import { spawn } from 'node:child_process';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { TOOL_DIRS } from './programs.ts';

/** The environment of a program's run. */
export interface ProgramContext {
  readonly clock: Clock;
  /** A descriptor that the program inherits, and with it a lock that lasts as long as the program. */
  readonly lockFd?: number;
}

export interface ProgramCall {
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProgramEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than a plugin waits for another one's lock. */
const LIMIT_MS = 60_000;
const MAX_OUTPUT = 1 << 20;

/**
 * Runs a program to its end, without our environment. Throws RUNTIME if it cannot be run, TIMEOUT if it does not end.
 */
export async function runProgram({ clock, lockFd }: ProgramContext, call: ProgramCall): Promise<ProgramEnd> {
  const child = spawn(call.file, call.args, {
    cwd: '/',
    env: { PATH: TOOL_DIRS.join(':'), ...call.env },
    stdio: ['pipe', 'pipe', 'pipe', ...(lockFd === undefined ? [] : [lockFd])],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      if (texts[name].length < MAX_OUTPUT) texts[name] += text;
    });
  }
  child.stdin?.on('error', () => undefined); // it need not read
  child.stdin?.end(call.stdin ?? '');
  const over = new AbortController();
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  try {
    const end = await Promise.race([ended, clock.sleep(LIMIT_MS, over.signal).then(() => undefined)]);
    if (end !== undefined) return { code: end, ...texts };
  } catch (error) {
    throw new HealthctlError('RUNTIME', `cannot run ${call.file}: ${messageOf(error)}`, { cause: error });
  } finally {
    over.abort();
  }
  child.kill('SIGKILL');
  throw new HealthctlError('TIMEOUT', `${call.file} did not end in ${LIMIT_MS / 1000} s`);
}
