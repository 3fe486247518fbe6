import { fileURLToPath } from 'node:url';
import { type ProgramResult, startProgram } from '../../testbed/program.ts';

/** The user pressed Ctrl-C, or the demo was ended by a signal. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** A session that shows each command as a user types it, with its real output. */
export interface Session {
  /** The directory in which the commands run. */
  readonly directory: string;
  /** A heading for what follows. */
  chapter(text: string): void;
  /** Shows and runs `healthctl ARGS`. Throws unless it exits with `exit` (default 0). */
  type(args: readonly string[], expected?: { exit: number }): Promise<ProgramResult>;
  /** Shows and runs another program. Throws unless it exits with 0. */
  program(command: readonly string[]): Promise<ProgramResult>;
  /** Shows each change of the container's health, until it has this status. Throws if it does not get it in time. */
  watch(container: string, status: 'healthy' | 'unhealthy'): Promise<void>;
  /** The last line. */
  close(text: string): void;
}

interface SessionOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** An abort ends the running command, and no other begins. */
  readonly signal: AbortSignal;
}

const HEALTH =
  '{{.State.Health.Status}}{{if .State.Health.FailingStreak}} (failing streak {{.State.Health.FailingStreak}}){{end}}';
const WATCH_LIMIT_MS = 60_000;
const LOOK_MS = 100;

const HEALTHCTL = fileURLToPath(new URL('../../bin/healthctl', import.meta.url));

export function openSession({ directory, env, signal }: SessionOptions): Session {
  const paint = painter();
  const print = (text: string) => process.stdout.write(text);
  const run = (args: readonly string[]) => runUntil([HEALTHCTL, ...args], { directory, env, signal });

  const show = async (typed: readonly string[], running: () => Promise<ProgramResult>, exit = 0) => {
    print(`${paint('32', '$')} ${paint('1', typed.map(quote).join(' '))}\n`);
    const result = await running();
    print(result.stdout + (result.stderr === '' ? '' : paint('33', result.stderr)));
    if (result.code !== exit) throw new Error(`exit status ${result.code}, expected ${exit}: ${typed.join(' ')}`);
    if (exit !== 0) print(`${paint('2', `(exit status ${exit})`)}\n`);
    return result;
  };

  return {
    directory,
    chapter: (text) => print(`\n${paint('1;34', `# ${text}`)}\n`),
    type: (args, { exit } = { exit: 0 }) => show(['healthctl', ...args], () => run(args), exit),
    program: (command) => show(command, () => runUntil(command, { directory, env, signal })),
    watch: async (container, status) => {
      const deadlineMs = Date.now() + WATCH_LIMIT_MS;
      for (let last = ''; !last.startsWith(`${status} `); ) {
        const { stdout, stderr } = await run(['inspect', '--format', HEALTH, container]);
        const seen = `${stdout.trim()} `;
        if (seen !== last) print(`${paint('2', new Date().toISOString().slice(11, 19))} ${paint('36', seen)}\n`);
        if (Date.now() > deadlineMs) throw new Error(`${container} is ${seen}${stderr}, expected ${status}`);
        last = seen;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    close: (text) => print(`\n${paint('1;32', text)}\n`),
  };
}

/** Runs a program to its end, or until the signal aborts. */
async function runUntil(
  command: readonly string[],
  { directory, env, signal }: SessionOptions,
): Promise<ProgramResult> {
  if (signal.aborted) throw new Interrupted();
  const program = startProgram(command, { env, cwd: directory, stdin: '' });
  const end = () => program.kill('SIGTERM');
  signal.addEventListener('abort', end);
  const result = await program.exited.finally(() => signal.removeEventListener('abort', end));
  if (signal.aborted) throw new Interrupted();
  return result;
}

/** Quoted as a shell needs it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** ANSI colours on a terminal, unless NO_COLOR is set (https://no-color.org). */
function painter(): (style: string, text: string) => string {
  const colours = process.stdout.isTTY && !process.env.NO_COLOR;
  return (style, text) => (colours ? `\u001b[${style}m${text}\u001b[0m` : text);
}

/** Runs `healthctl ARGS` without showing it, also after an interrupt. */
export function runQuietly(
  { directory, env }: Pick<SessionOptions, 'directory' | 'env'>,
  args: readonly string[],
): Promise<ProgramResult> {
  return startProgram([HEALTHCTL, ...args], { env, cwd: directory, stdin: '' }).exited;
}

/** Ends the monitor that the demo started. */
export async function endMonitor(options: Pick<SessionOptions, 'directory' | 'env'>): Promise<void> {
  const { code, stderr } = await runQuietly(options, ['daemon', 'stop']);
  if (code !== 0) process.stderr.write(stderr);
}
