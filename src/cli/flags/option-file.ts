import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { readGivenFile } from '../../system/given-file.ts';

/** An unreadable file is a usage error: exit 125, like Docker's CLI, which also reads these files. */
export async function readFileOfOption(name: string, signal: AbortSignal, prefix = ''): Promise<Buffer> {
  try {
    return await readGivenFile(name, signal);
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND', 'DENIED', 'INVALID')) throw cause;
    throw new HealthctlError('USAGE', `${prefix}${cause.message}`, { cause });
  }
}
