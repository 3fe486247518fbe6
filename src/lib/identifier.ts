import { HealthctlError } from './errors.ts';

const MAX_LENGTH = 76;

const IDENTIFIER = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

/** Whether containerd accepts a text as a namespace, snapshotter or id: it is then also a single path component. */
export const isIdentifier = (text: string): boolean => text.length <= MAX_LENGTH && IDENTIFIER.test(text);

/**
 * containerd's rule for namespaces and snapshotters (containerd, identifiers/validate.go): other texts are valid
 * neither on the wire nor as a directory name. Returns the text, throws INVALID.
 */
export function checkIdentifier(text: string): string {
  if (text.length > MAX_LENGTH)
    throw new HealthctlError('INVALID', `${JSON.stringify(text)} is longer than ${MAX_LENGTH} characters`);
  if (IDENTIFIER.test(text)) return text;
  throw new HealthctlError(
    'INVALID',
    `${JSON.stringify(text)} must be letters and digits, with single '.', '_' or '-' between them`,
  );
}
