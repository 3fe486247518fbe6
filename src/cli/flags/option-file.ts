import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { readGivenFile } from '../../system/given-file.ts';

/** What cannot be read makes the command line wrong: exit 125, as Docker's command line, which reads them too. */
export async function readFileOfOption(name: string, signal: AbortSignal, prefix = ''): Promise<Buffer> {
  try {
    return await readGivenFile(name, signal);
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND', 'DENIED', 'INVALID')) throw cause;
    throw new HealthctlError('USAGE', `${prefix}${cause.message}`, { cause });
  }
}
