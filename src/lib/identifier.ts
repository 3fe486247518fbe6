import { HealthctlError } from './errors.ts';

const MAX_LENGTH = 76;

/**
 * containerd's rule for namespaces and snapshotters (containerd, identifiers/validate.go): what does not hold to it is no name on the wire,
 * nor of a directory. Returns the text, throws INVALID.
 */
export function checkIdentifier(text: string): string {
  if (text.length > MAX_LENGTH)
    throw new HealthctlError('INVALID', `${JSON.stringify(text)} is longer than ${MAX_LENGTH} characters`);
  if (/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(text)) return text;
  throw new HealthctlError(
    'INVALID',
    `${JSON.stringify(text)} must be letters and digits, with single '.', '_' or '-' between them`,
  );
}
