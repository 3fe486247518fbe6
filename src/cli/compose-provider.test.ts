import { expect, test } from 'vitest';
import { composeEnvironment, findComposeProvider } from './compose-provider.ts';

const found = (
  there: readonly string[],
  { configured, ...env }: { readonly configured?: string; readonly [name: string]: string | undefined } = {},
): string =>
  findComposeProvider(
    { configured, env: { HOME: '/home/me', PATH: '/opt/bin::/usr/bin', ...env }, configFile: '/etc/h.toml' },
    (path) => there.includes(path),
  );

const PLUGIN = '/usr/libexec/docker/cli-plugins/docker-compose';

test.each([
  ['the program on the PATH', ['/usr/bin/docker-compose', PLUGIN], {}, '/usr/bin/docker-compose'],
  ['the first one on the PATH', ['/usr/bin/docker-compose', '/opt/bin/docker-compose'], {}, '/opt/bin/docker-compose'],
  ["docker's plugin", [PLUGIN], {}, PLUGIN],
  [
    "the user's own plugin",
    [PLUGIN, '/home/me/.docker/cli-plugins/docker-compose'],
    {},
    '/home/me/.docker/cli-plugins/docker-compose',
  ],
  [
    'that of DOCKER_CONFIG',
    [PLUGIN, '/d/cli-plugins/docker-compose'],
    { DOCKER_CONFIG: '/d' },
    '/d/cli-plugins/docker-compose',
  ],
  ['the configured path', ['/x/mine', '/usr/bin/docker-compose'], { configured: '/x/mine' }, '/x/mine'],
  ['the configured name', ['/opt/bin/mine', '/usr/bin/docker-compose'], { configured: 'mine' }, '/opt/bin/mine'],
])('a provider is %s', (_what, there, given, path) => {
  expect(found(there, given)).toBe(path);
});

test('without a provider the error says how to get one, and where it was looked for', () => {
  const error = expect.objectContaining({
    code: 'NOT_FOUND',
    message: "there is no docker-compose: neither on the PATH nor among docker's plugins",
    hint: expect.stringMatching(
      /apt-get install docker-compose.*\/home\/me\/\.docker\/cli-plugins, .*compose_provider.*\/etc\/h\.toml/s,
    ),
  });
  expect(() => found([])).toThrow(error);
});

test('a configured provider that is not there is never replaced by another one', () => {
  expect(() => found(['/usr/bin/docker-compose'], { configured: '/x/mine' })).toThrow('"/x/mine": no program');
  expect(() => found(['/usr/bin/docker-compose'], { configured: 'mine' })).toThrow('"mine": not on the PATH');
});

test('compose gets the host of the monitor, and nothing about another one', () => {
  const caller = {
    ...{ PATH: '/bin', DOCKER_HOST: 'ssh://other', DOCKER_CONTEXT: 'other', COMPOSE_PROFILES: 'a' },
    ...{ DOCKER_TLS: '1', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' },
  };
  const kept = { PATH: '/bin', COMPOSE_PROFILES: 'a' };
  expect(composeEnvironment(caller, 'unix:///run/d.sock')).toEqual({ ...kept, DOCKER_HOST: 'unix:///run/d.sock' });
  expect(composeEnvironment(caller, 'tcp://h:2376')).toEqual({
    ...{ ...kept, DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' },
  });
});
