import { parseCertificates } from '../../health/certificates.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { readFileOfOption } from './option-file.ts';

/** The certificates in a file that an option names. Throws USAGE. */
export async function readCertificateFile(option: string, path: string, signal: AbortSignal): Promise<string> {
  const parsed = parseCertificates((await readFileOfOption(path, signal)).toString('latin1'));
  if (parsed.kind === 'ok') return parsed.value;
  throw new HealthctlError('USAGE', `invalid argument ${JSON.stringify(path)} for "${option}" flag: ${parsed.reason}`);
}
