import { hostOfKey } from '../../../image/registry/docker-config.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { World } from '../../../world.ts';
import { askLine, askPassword } from '../../ask-password.ts';
import type { Command, CommandInput, CommandResult, ParsedOptions } from '../../command.ts';
import { ANYTHING } from '../../flags/values.ts';

/** `healthctl login`: Docker's, and --plain-http. The login is stored where Docker's client stores it. */
export const login: Command = {
  usage: '[OPTIONS] [SERVER]',
  options: [
    { name: 'password', short: 'p', type: 'string', help: 'Password or Personal Access Token (PAT)' },
    { name: 'password-stdin', type: 'bool', help: 'Take the Password or Personal Access Token (PAT) from stdin' },
    { name: 'plain-http', type: 'bool', help: 'Speak plain HTTP to the registry (default on this machine only)' },
    { name: 'username', short: 'u', type: 'string', help: 'Username' },
  ],
  args: { min: 0, max: 1 },
  complete: [ANYTHING],
  run: (world, input) => runLogin(world, input),
};

type LoginWorld = Pick<World, 'clock' | 'env' | 'signal' | 'streams'>;

async function runLogin(world: LoginWorld, { options, args: [server = ''] }: CommandInput): Promise<CommandResult> {
  refuseOptions(options);
  const { username, password } = await credentialsOf(world, options);
  const [{ checkLogin }, { storeLogin }] = await Promise.all([
    import('../../../image/registry/login.ts'),
    import('../../../image/registry/credential-store.ts'),
  ]);
  const { clock, env, signal } = world;
  const plainHttp = options.bool('plain-http') || server.startsWith('http://');
  const credentials = { kind: 'password', username, password } as const;
  await checkLogin({ clock, env }, { server, credentials, plainHttp }, signal);
  const domain = server === '' ? 'docker.io' : hostOfKey(server);
  const stored = await storeLogin(env, { domain, username, password }, signal);
  return {
    stdout: 'Login Succeeded\n',
    warnings: [
      ...(options.given('password') ? ['Using --password via the CLI is insecure. Use --password-stdin.'] : []),
      ...('file' in stored
        ? [
            `Your credentials are stored unencrypted in '${stored.file}'. A credential helper stores them elsewhere: credsStore in that file`,
          ]
        : []),
    ],
  };
}

/** Throws INVALID with Docker's texts (docker/cli, registry/login.go). */
function refuseOptions(options: ParsedOptions): void {
  if (options.bool('password-stdin')) {
    if (options.given('password'))
      throw invalid('conflicting options: cannot specify both --password and --password-stdin');
    if (!options.given('username')) throw invalid('the --password-stdin option requires --username to be set');
  }
  for (const name of ['username', 'password']) {
    if (options.given(name) && options.string(name) === '') throw invalid(`${name} is empty`);
  }
}

async function credentialsOf(
  world: LoginWorld,
  options: ParsedOptions,
): Promise<{ readonly username: string; readonly password: string }> {
  const { streams } = world;
  const given = options.string('username');
  const password = options.bool('password-stdin') ? await passwordOfStdin(world) : options.string('password');
  if (given !== undefined && password !== undefined) return checked({ username: given, password });
  if (streams.stdin.isTTY !== true) {
    throw new HealthctlError('INVALID', 'cannot perform an interactive login from a non TTY device', {
      hint: 'give --username, and the password on standard input with --password-stdin',
    });
  }
  const username = given ?? (await askLine(world, 'Username: '));
  return checked({ username, password: password ?? (await askPassword(world, 'Password: ')) });
}

function checked<T extends { readonly username: string; readonly password: string }>(credentials: T): T {
  if (credentials.username === '') throw invalid('username is empty');
  if (credentials.password === '') throw invalid('password is empty');
  return credentials;
}

/** No password is as long. */
const MAX_PASSWORD_BYTES = 1 << 20;

/** Everything, without one newline at its end. */
async function passwordOfStdin({ streams, signal }: LoginWorld): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of untilAborted<Buffer>(streams.stdin, signal, 'the login was cancelled')) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > MAX_PASSWORD_BYTES) throw invalid('the password on standard input is too long');
  }
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

const invalid = (message: string) => new HealthctlError('INVALID', message);
