import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { isObject, type JsonObject } from '../../lib/shape.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { realPath } from '../../system/real-path.ts';
import { callCredentialHelper } from './credential-helper.ts';
import { configPathOf, helperOf, hostOfKey, readConfigObject, serverKeyOf } from './docker-config.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface StoredLogin {
  readonly username: string;
  readonly password: string;
}

/** Where credentials were stored: the helper's name, or the file in which they can be read. */
export type StoredIn = { readonly helper: string } | { readonly file: string };

/**
 * Stores a login for a registry where Docker's client would: with the credential helper that its `config.json` names,
 * else in that file. What the file has for this registry under any key is replaced; its other content stays.
 *
 * @param domain e.g. `docker.io`, `127.0.0.1:5000`
 * @throws CONFIG if the file cannot be read or written, or the helper fails
 */
export async function storeLogin(
  env: Env,
  { domain, username, password }: StoredLogin & { readonly domain: string },
  signal?: AbortSignal,
): Promise<StoredIn> {
  const path = configPathOf(env);
  const config = readConfigObject(path) ?? {};
  const server = serverKeyOf(domain);
  const helper = helperOf(config, path, domain);
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: server, Username: username, Secret: password });
    await callCredentialHelper({ helper, action: 'store', input, env }, signal);
    eraseInFile(path, config, domain);
    return { helper };
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  writeConfig(path, { ...config, auths: { ...otherAuths(config, domain), [server]: { auth } } });
  return { file: path };
}

/** Forgets the login for a registry. It is no error if there is none. Throws like storeLogin. */
export async function eraseLogin(env: Env, domain: string, signal?: AbortSignal): Promise<void> {
  const path = configPathOf(env);
  const config = readConfigObject(path);
  if (!config) return;
  const helper = helperOf(config, path, domain);
  if (helper !== undefined) {
    await callCredentialHelper({ helper, action: 'erase', input: `${serverKeyOf(domain)}\n`, env }, signal);
  }
  eraseInFile(path, config, domain);
}

const authsOf = ({ auths }: JsonObject): JsonObject => (isObject(auths) ? auths : {});

/** Without those of a registry: all that findCredentials would use. */
const otherAuths = (config: JsonObject, domain: string): JsonObject =>
  Object.fromEntries(Object.entries(authsOf(config)).filter(([key]) => hostOfKey(key) !== domain));

function eraseInFile(path: string, config: JsonObject, domain: string): void {
  const auths = otherAuths(config, domain);
  if (Object.keys(auths).length < Object.keys(authsOf(config)).length) writeConfig(path, { ...config, auths });
}

/** As Docker writes it; a link stays, and its target is replaced. */
function writeConfig(path: string, config: JsonObject): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replaceFile(realPath(path) ?? path, `${JSON.stringify(config, undefined, '\t')}`, 0o600);
  } catch (cause) {
    throw new HealthctlError('CONFIG', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
