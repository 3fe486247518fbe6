import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { type Document, parseDocument } from '../document.ts';
import { askCredentialHelper } from './credential-helper.ts';
import type { Credentials } from './credentials.ts';

/** Docker's key for the credentials of Docker Hub. */
const HUB_KEY = 'https://index.docker.io/v1/';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The credentials for a registry from Docker's `config.json` (in `DOCKER_CONFIG`, else `~/.docker`): a helper of
 * `credHelpers`, else `credsStore`, else `auths`. Undefined: anonymous. Throws CONFIG for an invalid file, never with
 * its content.
 *
 * @param domain of the reference, e.g. `docker.io`, `127.0.0.1:5000`
 */
export async function findCredentials(
  domain: string,
  env: Env,
  signal?: AbortSignal,
): Promise<Credentials | undefined> {
  const config = readConfig(env);
  if (!config) return undefined;
  const { document, path } = config;
  const key = domain === 'docker.io' ? HUB_KEY : domain;
  try {
    const helpers = document.stringMap('credHelpers') ?? {};
    const helper = (Object.hasOwn(helpers, domain) ? helpers[domain] : undefined) ?? document.string('credsStore');
    if (helper) {
      const found = await askCredentialHelper({ helper, server: key, env }, signal);
      if (found) return found;
    }
    return findInAuths(document, domain);
  } catch (cause) {
    if (cause instanceof HealthctlError && cause.code === 'CORRUPT') throw unreadable(path, messageOf(cause), cause);
    throw cause;
  }
}

function readConfig(env: Env): { document: Document; path: string } | undefined {
  const directory = env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, '.docker') : '');
  if (directory === '') return undefined;
  const path = join(directory, 'config.json');
  try {
    return { document: parseDocument(path, readPlainFile(path)), path };
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw unreadable(path, errno ?? messageOf(cause), cause);
  }
}

const unreadable = (path: string, why: string, cause: unknown) =>
  new HealthctlError('CONFIG', why.includes(path) ? why : `cannot read ${path}: ${why}`, {
    cause: cause instanceof HealthctlError ? undefined : cause,
  });

function findInAuths(document: Document, domain: string): Credentials | undefined {
  const auths = document.object('auths');
  for (const key of document.keys('auths') ?? []) {
    if (hostOfKey(key) !== domain) continue;
    const entry = auths?.entry(key);
    const found = entry && credentialsOfEntry(entry);
    if (found) return found;
  }
  return undefined;
}

/** Keys may be hosts or URLs, with and without a path. */
export function hostOfKey(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

export function credentialsOfEntry(entry: Document): Credentials | undefined {
  const identityToken = entry.string('identitytoken');
  if (identityToken) return { kind: 'identity-token', token: identityToken };
  const registryToken = entry.string('registrytoken');
  if (registryToken) return { kind: 'registry-token', token: registryToken };
  const auth = entry.string('auth');
  if (!auth) {
    const [username, password] = [entry.string('username'), entry.string('password')];
    return username && password ? { kind: 'password', username, password } : undefined;
  }
  const plain = Buffer.from(auth, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon <= 0) throw entry.wrong('auth', 'is not the base64 of user:password');
  return { kind: 'password', username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') };
}
