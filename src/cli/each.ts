import { HealthctlError, hasCode } from '../lib/errors.ts';
import type { CommandResult } from './command.ts';

/** docker/cli, container/utils.go parallelOperation. */
const AT_ONCE = 50;

export interface EachOptions {
  /** Number of items worked on at the same time. Default 50, as in Docker; 1 keeps the order of the command line. */
  readonly atOnce?: number;
}

/**
 * Does the same for several containers, like Docker: all are tried; each success prints a line, in the order of the
 * command line; errors are joined, exit 1. An error that would be the same for all (no containerd, no permission) is
 * shown once.
 *
 * @param work a string that it returns is printed instead of the given name
 */
export async function forEachName(
  names: readonly string[],
  work: (name: string) => Promise<unknown>,
  { atOnce = AT_ONCE }: EachOptions = {},
): Promise<CommandResult> {
  const outcomes = await mapLimited(names, atOnce, async (name) => {
    try {
      if (name.replaceAll('/', '') === '') throw new HealthctlError('INVALID', 'container name cannot be empty');
      const line = await work(name);
      return { line: typeof line === 'string' ? line : name };
    } catch (error) {
      if (error instanceof Error) return { error };
      throw error;
    }
  });
  const errors = outcomes.flatMap(({ error }) => error ?? []);
  return { stdout: outcomes.map(({ line }) => (line === undefined ? '' : `${line}\n`)).join(''), errors: once(errors) };
}

type Outcome =
  | { readonly line: string; readonly error?: undefined }
  | { readonly error: Error; readonly line?: undefined };

/** The outcomes in the order of the items. After an error that all would share, no further item is begun. */
async function mapLimited(
  items: readonly string[],
  limit: number,
  work: (item: string) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  let isHopeless = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !isHopeless) {
      const index = next++;
      const outcome = await work(items[index] ?? '');
      outcomes[index] = outcome;
      isHopeless ||= isShared(outcome.error);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** Whether every other container would fail in the same way. */
const isShared = (error: Error | undefined): boolean => hasCode(error, 'ABORTED', 'UNAVAILABLE', 'DENIED');

function once(errors: readonly Error[]): readonly Error[] {
  const first = errors.findIndex(isShared);
  return errors.filter((error, index) => !isShared(error) || index === first);
}

/** Prefixes an error's text with Docker's words; a refused value is then no usage error, and exits with 1. */
export async function withPrefix<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HealthctlError) || isShared(error)) throw error;
    const { code, hint, exitCode, message } = error;
    throw new HealthctlError(code === 'USAGE' ? 'INVALID' : code, `${prefix}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
      ...(exitCode === undefined ? {} : { exitCode }),
    });
  }
}
