import type { World } from '../world.ts';
import { readLine } from './confirm.ts';

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\x03', '\x04', '\b', '\x7f'];

/** Asks for a line on the terminal. */
export async function askLine(
  { streams, signal }: Pick<World, 'streams' | 'signal'>,
  question: string,
): Promise<string> {
  streams.stderr.write(question);
  return (await readLine(streams.stdin, signal)).replace(/\r$/, '');
}

/** Asks for a line that is not shown. Ctrl-C gives an empty one. */
export async function askPassword(
  { streams, signal }: Pick<World, 'streams' | 'signal'>,
  question: string,
): Promise<string> {
  const { stdin, stderr } = streams;
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    return await readHidden(stdin, signal);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function readHidden(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const end = (result: string): void => {
      stdin.off('data', take);
      stdin.off('end', onEnd);
      signal.removeEventListener('abort', onEnd);
      resolve(result);
    };
    const onEnd = (): void => end('');
    const take = (chunk: Buffer | string): void => {
      const [line = '', ...more] = chunk.toString().split(/[\r\n]/);
      for (const character of line) {
        if (character === CTRL_C || character === CTRL_D) {
          end('');
          return;
        }
        text = character === BACKSPACE || character === DELETE ? text.slice(0, -1) : text + character;
      }
      if (more.length > 0) end(text);
    };
    if (signal.aborted) return onEnd();
    signal.addEventListener('abort', onEnd, { once: true });
    stdin.on('data', take);
    stdin.on('end', onEnd);
    stdin.resume();
  });
}
