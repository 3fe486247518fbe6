import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { isObject, type JsonObject } from '../../lib/shape.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { type Document, openDocument, parseJson } from '../document.ts';
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
  const path = configPathIfAny(env);
  const config = path === undefined ? undefined : readConfigObject(path);
  if (!path || !config) return undefined;
  return parsed(path, async () => {
    const helper = helperOf(config, path, domain);
    const server = serverKeyOf(domain);
    const found = helper === undefined ? undefined : await askCredentialHelper({ helper, server, env }, signal);
    return found ?? findInAuths(openDocument(path, config), domain);
  });
}

/** The path of Docker's `config.json`. Throws CONFIG without a home directory. */
export function configPathOf(env: Env): string {
  const path = configPathIfAny(env);
  if (path !== undefined) return path;
  throw new HealthctlError('CONFIG', 'there is no place for credentials: neither DOCKER_CONFIG nor HOME is set');
}

function configPathIfAny(env: Env): string | undefined {
  const directory = env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, '.docker') : '');
  return directory === '' ? undefined : join(directory, 'config.json');
}

/** Undefined if there is no file. Throws CONFIG for an invalid one, never with its content. */
export function readConfigObject(path: string): JsonObject | undefined {
  try {
    const value = parseJson(path, readPlainFile(path));
    openDocument(path, value);
    return isObject(value) ? value : undefined;
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw unreadable(path, errno ?? messageOf(cause), cause);
  }
}

/** The credential helper for a registry: `credHelpers`, else `credsStore`. */
export function helperOf(config: JsonObject, path: string, domain: string): string | undefined {
  try {
    const document = openDocument(path, config);
    const helpers = document.stringMap('credHelpers') ?? {};
    const own = Object.hasOwn(helpers, domain) ? helpers[domain] : undefined;
    return (own ?? document.string('credsStore')) || undefined;
  } catch (cause) {
    throw translated(path, cause);
  }
}

/** The key under which a login for a registry is stored. */
export const serverKeyOf = (domain: string): string => (domain === 'docker.io' ? HUB_KEY : domain);

async function parsed<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw translated(path, cause);
  }
}

const translated = (path: string, cause: unknown): unknown =>
  cause instanceof HealthctlError && cause.code === 'CORRUPT' ? unreadable(path, messageOf(cause), cause) : cause;

const unreadable = (path: string, why: string, cause: unknown) =>
  new HealthctlError('CONFIG', why.includes(path) ? why : `cannot read ${path}: ${why}`, {
    cause: cause instanceof HealthctlError ? undefined : cause,
  });

/** As in Docker, the key that a login writes comes before others of the same host. */
function findInAuths(document: Document, domain: string): Credentials | undefined {
  const auths = document.object('auths');
  const others = (document.keys('auths') ?? []).filter((key) => hostOfKey(key) === domain);
  for (const key of [serverKeyOf(domain), ...others]) {
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
