import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { HealthctlError } from '../lib/errors.ts';
import { isProgram } from '../system/programs.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = 'docker-compose';

/** Docker's directories of plugins for all users, in its order (docker/cli, cli-plugins/manager). */
const PLUGIN_DIRS: readonly string[] = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];

export interface ProviderRequest {
  /** `compose_provider`: an absolute path, or a name on the PATH. */
  readonly configured: string | undefined;
  readonly env: Environment;
  /** Where `compose_provider` can be set. */
  readonly configFile: string;
}

/**
 * The path of the program that does the work of compose: the configured one; else docker-compose on the PATH; else
 * docker's plugin, which runs alone too. Throws NOT_FOUND that says how to get one.
 */
export function findComposeProvider(
  { configured, env, configFile }: ProviderRequest,
  isThere: (path: string) => boolean = isProgram,
): string {
  const onPath = (name: string) =>
    (env.PATH ?? '')
      .split(delimiter)
      .filter((dir) => dir !== '')
      .map((dir) => resolve(dir, name))
      .find(isThere);
  if (configured !== undefined) {
    const found = isAbsolute(configured) ? [configured].find(isThere) : onPath(configured);
    if (found !== undefined) return found;
    const where = isAbsolute(configured) ? 'no program' : 'not on the PATH';
    throw new HealthctlError('NOT_FOUND', `compose_provider = ${JSON.stringify(configured)}: ${where}`, {
      hint: `it is set in ${configFile}`,
    });
  }
  const plugins = [join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'cli-plugins'), ...PLUGIN_DIRS];
  const found = onPath(NAME) ?? plugins.map((dir) => join(dir, NAME)).find(isThere);
  if (found !== undefined) return found;
  throw new HealthctlError('NOT_FOUND', `there is no ${NAME}: neither on the PATH nor among docker's plugins`, {
    hint: [
      'install it: apt-get install docker-compose (Debian 13), docker-compose-v2 (Ubuntu), docker-compose-plugin (Docker)',
      `looked in: ${plugins.join(', ')}`,
      `another place: compose_provider = "/path/to/${NAME}" in ${configFile}`,
    ].join('\n'),
  });
}

/**
 * The environment of compose: the caller's, with the API at `host`. What the caller has said about another host counts
 * no more, nor do the certificates for it.
 */
export function composeEnvironment(env: Environment, host: string): Environment {
  const { DOCKER_CONTEXT: _context, DOCKER_TLS: _tls, DOCKER_TLS_VERIFY: _verify, ...others } = env;
  if (host.startsWith('tcp://')) return { ...others, DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1' };
  const { DOCKER_CERT_PATH: _certificates, ...rest } = others;
  return { ...rest, DOCKER_HOST: host };
}
