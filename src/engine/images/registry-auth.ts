import type { IncomingHttpHeaders } from 'node:http';
import { openDocument } from '../../image/document.ts';
import type { Credentials } from '../../image/registry/credentials.ts';
import { credentialsOfEntry } from '../../image/registry/docker-config.ts';
import { isObject, type JsonObject, parseJsonText } from '../../lib/shape.ts';

/** The credentials that a client gives: `{"username":…,"password":…}`, or a token. */
export function credentialsFrom(value: JsonObject): Credentials | undefined {
  return credentialsOfEntry(openDocument('the credentials', value));
}

/**
 * The header `X-Registry-Auth`, base64url of JSON. Clients always send it, often empty. As in Docker, an invalid one
 * counts as none.
 */
export function loginOf(headers: IncomingHttpHeaders): { readonly credentials: Credentials | undefined } {
  const header = headers['x-registry-auth'];
  const value =
    typeof header === 'string' ? parseJsonText(Buffer.from(header, 'base64url').toString('utf8')) : undefined;
  if (!isObject(value)) return { credentials: undefined };
  try {
    return { credentials: credentialsFrom(value) };
  } catch {
    return { credentials: undefined };
  }
}
