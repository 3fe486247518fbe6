import { createHash, timingSafeEqual } from 'node:crypto';
import { HealthctlError } from '../lib/errors.ts';
import { readPlainFile } from './plain-file.ts';

/** The hash of a token, to compare with. */
export type TokenHash = Buffer;

/** The hash of the token in a file. Throws CONFIG for a file without one, and system errors. */
export function readToken(path: string): TokenHash {
  const token = readPlainFile(path).toString('utf8').trim();
  if (token === '' || /\s/.test(token))
    throw new HealthctlError('CONFIG', `${path} must have a token: one word without spaces`);
  return hashOf(token);
}

/**
 * Whether this is the token. Takes the same time for every wrong one.
 *
 * @param authorization the header field of a request
 */
export function isToken(authorization: string | undefined, token: TokenHash): boolean {
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return given !== undefined && timingSafeEqual(hashOf(given), token);
}

const hashOf = (text: string): TokenHash => createHash('sha256').update(text).digest();
