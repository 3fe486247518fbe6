import { fileURLToPath } from 'node:url';
import { type ProgramResult, startProgram } from '../../test/fixtures/program.ts';

/** Somebody pressed Ctrl-C, or the demo was told to end. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** A typed session: what is run is shown as it would be typed, with its real output. */
export interface Session {
  /** The directory in which the commands run. */
  readonly directory: string;
  /** A heading above what follows. */
  chapter(text: string): void;
  /** Shows and runs `healthctl ARGS`. Throws unless it exits with `exit` (default 0). */
  type(args: readonly string[], expected?: { exit: number }): Promise<ProgramResult>;
  /** Asks `inspect` without showing it, and throws unless the container's health is this. */
  mustBe(container: string, status: 'starting' | 'healthy' | 'unhealthy'): Promise<void>;
  /** The last line. */
  close(text: string): void;
}

interface SessionOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ends the command that is running and refuses the next. */
  readonly signal: AbortSignal;
}

const HEALTHCTL = fileURLToPath(new URL('../../bin/healthctl', import.meta.url));

export function openSession({ directory, env, signal }: SessionOptions): Session {
  const paint = painter();
  const print = (text: string) => process.stdout.write(text);
  const run = (args: readonly string[]) => runUntil([HEALTHCTL, ...args], { directory, env, signal });

  return {
    directory,
    chapter: (text) => print(`\n${paint('1;34', `# ${text}`)}\n`),
    type: async (args, { exit } = { exit: 0 }) => {
      print(`${paint('32', '$')} ${paint('1', `healthctl ${args.map(quote).join(' ')}`)}\n`);
      const result = await run(args);
      print(result.stdout + (result.stderr === '' ? '' : paint('33', result.stderr)));
      if (result.code !== exit)
        throw new Error(`exit status ${result.code}, expected ${exit}: healthctl ${args.join(' ')}`);
      if (exit !== 0) print(`${paint('2', `(exit status ${exit})`)}\n`);
      return result;
    },
    mustBe: async (container, status) => {
      const result = await run(['inspect', '--format', '{{.State.Health.Status}}', container]);
      const seen = result.stdout.trim();
      if (seen !== status) throw new Error(`${container} is ${seen || result.stderr.trim()}, expected ${status}`);
    },
    close: (text) => print(`\n${paint('1;32', text)}\n`),
  };
}

/** Runs a program to its end, or ends it when told so. */
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

/** As a shell would need it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** ANSI colours on a terminal (https://no-color.org respected), nothing elsewhere. */
function painter(): (style: string, text: string) => string {
  const colours = process.stdout.isTTY && !process.env.NO_COLOR;
  return (style, text) => (colours ? `\u001b[${style}m${text}\u001b[0m` : text);
}
