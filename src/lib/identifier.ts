import { HealthctlError } from './errors.ts';

const MAX_LENGTH = 76;

const IDENTIFIER = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

/** Whether containerd takes a text for a namespace, a snapshotter or an id: then it is a single component of a path too. */
export const isIdentifier = (text: string): boolean => text.length <= MAX_LENGTH && IDENTIFIER.test(text);

/**
 * containerd's rule for namespaces and snapshotters (containerd, identifiers/validate.go): what does not hold to it is no name on the wire,
 * nor of a directory. Returns the text, throws INVALID.
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
