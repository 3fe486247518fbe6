import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { mustRun, runProgram } from './program.ts';
import { until } from './until.ts';

/** A terminal in tmux, with a shell in it. */
export interface Terminal extends AsyncDisposable {
  /** Types a line into the shell, or whatever reads. */
  type(line: string): Promise<void>;
  /** Presses keys, by tmux's names: `q`, `Enter`, `C-z`, `Down`. */
  press(...keys: readonly string[]): Promise<void>;
  /** What is on the screen, without spaces at the ends of lines. */
  screen(): Promise<readonly string[]>;
  /** The same with colours, as escape sequences, and with all spaces. */
  coloured(): Promise<readonly string[]>;
  /** Waits until the screen contains a text, or matches; returns it. */
  shows(wanted: string | RegExp, withinMs?: number): Promise<readonly string[]>;
  resize(columns: number, rows: number): Promise<void>;
  /** Whether a program shows the alternate screen, and whether there is a cursor. */
  modes(): Promise<{ readonly isAlternate: boolean; readonly hasCursor: boolean }>;
}

/**
 * Opens a terminal with a server of its own: `await using terminal = await openTerminal(…)`.
 *
 * @param options.directory of the server's socket
 * @param options.env of the shell
 * @throws if the shell shows no prompt in time; then its server has ended
 */
export async function openTerminal(options: {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** Default 20 s. */
  readonly promptWithinMs?: number;
}): Promise<Terminal> {
  const { directory, columns, rows } = options;
  const env = { ...options.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PS1: '$ ', ENV: '' };
  // Each its own: a server that is ending still has its socket.
  const socket = join(directory, `tmux-${randomBytes(4).toString('hex')}`);
  const tmux = (...args: string[]) => mustRun(['tmux', '-u', '-S', socket, '-f', '/dev/null', ...args], { env });
  await tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, 'sh', '-i');
  const capture = async () => {
    const text = await tmux('capture-pane', '-p');
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => line.trimEnd());
  };
  const terminal: Terminal = {
    type: async (line) => {
      await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    press: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
    screen: capture,
    coloured: async () => (await tmux('capture-pane', '-p', '-e', '-N')).replace(/\n$/, '').split('\n'),
    shows: async (wanted, withinMs = 20_000) => {
      let last: readonly string[] = [];
      const found = async () => {
        last = await capture();
        const text = last.join('\n');
        return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
      };
      await until(found, { withinMs, everyMs: 100, what: `the screen to show ${wanted}` }).catch((error: Error) => {
        throw new Error(`${error.message}\n${last.join('\n')}`);
      });
      return last;
    },
    resize: async (width, height) => {
      await tmux('resize-window', '-x', `${width}`, '-y', `${height}`);
    },
    modes: async () => {
      const [alternate, cursor] = (await tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}'))
        .trim()
        .split(' ');
      return { isAlternate: alternate === '1', hasCursor: cursor === '1' };
    },
    [Symbol.asyncDispose]: async () => {
      await runProgram(['tmux', '-S', socket, 'kill-server'], { env });
    },
  };
  try {
    await terminal.shows('$', options.promptWithinMs);
    return terminal;
  } catch (error) {
    await terminal[Symbol.asyncDispose]();
    throw error;
  }
}
