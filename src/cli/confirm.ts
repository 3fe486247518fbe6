import type { World } from '../world.ts';

/**
 * Asks on stdout, and reads a line of stdin: `y` or `Y` is yes, everything else no (docker/cli, internal/prompt).
 * Ctrl-C and the end of stdin are no.
 *
 * @param warning e.g. `WARNING! This will remove all stopped containers.`
 */
export async function confirm(
  { streams, signal }: Pick<World, 'streams' | 'signal'>,
  warning: string,
): Promise<boolean> {
  streams.stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = await readLine(streams.stdin, signal);
  if (signal.aborted) streams.stdout.write('\n');
  return answer.trim().toLowerCase() === 'y';
}

/** The most that is read of an answer. */
const MAX_ANSWER_LENGTH = 4096;

/** A line without its end; empty at the end of input, and when the signal fires. */
export function readLine(stdin: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const end = (): void => {
      stdin.removeListener('data', take);
      stdin.removeListener('end', end);
      stdin.removeListener('error', end);
      signal.removeEventListener('abort', end);
      stdin.pause();
      resolve(signal.aborted ? '' : (text.split('\n')[0] ?? ''));
    };
    const take = (chunk: Buffer | string): void => {
      text += chunk.toString();
      if (text.includes('\n') || text.length > MAX_ANSWER_LENGTH) end();
    };
    if (signal.aborted) return end();
    signal.addEventListener('abort', end);
    stdin.on('data', take);
    stdin.on('end', end);
    stdin.on('error', end);
  });
}
