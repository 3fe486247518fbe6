// Shared by the scripts: finding and running programs. Plain Node.js, because the scripts run before anything is
// installed.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Directories of system programs that the PATH of an ordinary user lacks. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** PATH with the system directories at its end. */
export function fullPath() {
  const given = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...new Set([...given, ...SYSTEM_DIRECTORIES])].join(delimiter);
}

/** The absolute path of a program, or undefined if it is not installed. */
export function findProgram(name) {
  for (const directory of fullPath().split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this directory
    }
  }
  return undefined;
}

export function isRoot() {
  return process.getuid?.() === 0;
}

/** An error whose message is shown to the user without a stack. */
export class Failure extends Error {}

/** Ends a script: prints the error on stderr and sets the exit status. */
export function fail(error) {
  process.stderr.write(`${error instanceof Failure ? error.message : (error.stack ?? error)}\n`);
  process.exitCode = 1;
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, show?: boolean, cwd?: string }} [options] show: its output is shown as it
 *   comes; else it is returned
 * @returns {Promise<{ code: number, output: string }>} code 127 if the program could not be started, 128 + n if signal
 *   n ended it
 */
export function run(program, args, { env = {}, show = false, cwd } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: fullPath(), ...env },
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    // The terminal sends a signal to the child too. The child decides when it has cleaned up.
    const passOn = (signal) => child.kill(signal);
    const waitForChild = () => {};
    process.on('SIGTERM', passOn);
    process.on('SIGINT', waitForChild);
    const end = (code, text = '') => {
      process.off('SIGTERM', passOn);
      process.off('SIGINT', waitForChild);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') + text });
    };
    child.on('error', (error) => end(127, `${error.message}\n`));
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 137)));
  });
}

/** The first and the last lines of a program's output: the reason of a failure is at one of the ends. */
export function bothEnds(text, count = 15) {
  const lines = text.trimEnd().split('\n');
  if (lines.length <= 2 * count) return lines.join('\n');
  return [...lines.slice(0, count), `… ${lines.length - 2 * count} lines …`, ...lines.slice(-count)].join('\n');
}
