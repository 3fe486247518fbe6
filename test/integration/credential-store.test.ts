import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eraseLogin, storeLogin } from '../../src/image/registry/credential-store.ts';
import { findCredentials } from '../../src/image/registry/docker-config.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-credentials-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const HOST = 'registry.example.com';
const login = (password: string) => ({ auth: Buffer.from(`probe:${password}`).toString('base64') });
const found = (password: string) => ({ kind: 'password', username: 'probe', password });
const file = () => join(directory, 'config.json');
const read = (): unknown => JSON.parse(readFileSync(file(), 'utf8'));

function config(content: unknown) {
  writeFileSync(file(), JSON.stringify(content));
  return { DOCKER_CONFIG: directory, PATH: `${directory}:${process.env.PATH}` };
}

/** Also after another client's login: it writes a key of its own, and leaves the other one. */
test('of several keys for a registry the one that a login writes is used', async () => {
  const env = config({ auths: { [`https://${HOST}/v1/`]: login('old'), [HOST]: login('new') } });
  expect(await findCredentials(HOST, env)).toEqual(found('new'));
});

describe.each([
  [HOST, [`https://${HOST}`, `http://${HOST}/v2/`, `https://${HOST}/team`]],
  ['docker.io', ['docker.io', 'https://registry-1.docker.io/v2/', 'https://index.docker.io']],
])('%s', (domain, keys) => {
  const other = { 'other.example.com': login('other') };
  const auths = () => ({ ...other, ...Object.fromEntries(keys.map((key) => [key, login('old')])) });

  test('a login replaces what is stored under other keys', async () => {
    const env = config({ auths: auths() });
    await storeLogin(env, { domain, username: 'probe', password: 'new' });
    expect(await findCredentials(domain, env)).toEqual(found('new'));
    const key = domain === HOST ? HOST : 'https://index.docker.io/v1/';
    expect(read()).toEqual({ auths: { ...other, [key]: login('new') } });
  });

  test('a logout leaves nothing that is found', async () => {
    const env = config({ auths: auths() });
    expect(await findCredentials(domain, env)).toEqual(found('old'));
    await eraseLogin(env, domain);
    expect(await findCredentials(domain, env)).toBeUndefined();
    expect(read()).toEqual({ auths: other });
  });

  test('a login with a helper leaves no password in the file', async () => {
    const helper = join(directory, 'docker-credential-probe');
    writeFileSync(helper, '#!/bin/sh\nexec cat >/dev/null\n');
    chmodSync(helper, 0o755);
    const env = config({ auths: auths(), credsStore: 'probe' });
    expect(await storeLogin(env, { domain, username: 'probe', password: 'new' })).toEqual({ helper: 'probe' });
    expect(read()).toEqual({ auths: other, credsStore: 'probe' });
  });
});
