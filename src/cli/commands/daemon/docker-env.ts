import { installedDockerSocket } from '../../../daemon/service-unit/install.ts';
import { shellWord } from '../../../health/diagnosis/command-line.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { configuredDockerSocket, howToServe, unservedError } from '../../monitor/docker-host.ts';
import { askStatus } from '../../monitor/status.ts';

/** `healthctl docker-env`: exit 1 where Docker's API is not served. */
export const dockerEnv: Command = {
  usage: '[OPTIONS]',
  description:
    'Print the command of a shell by which clients of Docker\'s API, such as docker, use the monitor.\nIn a shell: eval "$(healthctl docker-env)"',
  options: [
    { name: 'context', type: 'bool', help: "Print the command that makes a context of docker's instead" },
    {
      name: 'shell',
      type: 'string',
      help: "'sh' (bash, zsh too) or 'fish'",
      default: 'sh',
      check: (text) => (SHELLS.includes(text) ? undefined : 'must be one of "sh", "bash", "zsh", "fish"'),
      complete: { words: ['sh', 'fish'] },
    },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => showEnv(world, input),
};

const SHELLS = ['sh', 'bash', 'zsh', 'fish'];
const CONTEXT_NAME = 'healthctl';

type EnvWorld = Pick<World, 'settings' | 'clock' | 'signal' | 'env'>;

async function showEnv(world: EnvWorld, { options }: CommandInput): Promise<CommandResult> {
  const { host, warnings = [] } = await findHost(world);
  const isTcp = host.startsWith('tcp://');
  const form = options.string('shell') === 'fish' ? fishSetting : posixSetting;
  const stdout = options.bool('context')
    ? `docker context create ${CONTEXT_NAME} --docker ${shellWord(`host=${host}${isTcp ? CONTEXT_TLS : ''}`)}\n`
    : `${form('DOCKER_HOST', host)}${isTcp ? form('DOCKER_TLS_VERIFY', '1') : ''}`;
  return { stdout, warnings: isTcp ? [...warnings, CERTIFICATES] : warnings };
}

const posixSetting = (name: string, value: string): string => `export ${name}=${shellWord(value)}\n`;
const fishSetting = (name: string, value: string): string => `set -gx ${name} ${shellWord(value)}\n`;

const CONTEXT_TLS = ',ca=ca.pem,cert=cert.pem,key=key.pem';
const CERTIFICATES =
  "the client needs a certificate of the server's tls_ca: ca.pem, cert.pem and key.pem, in the directory $DOCKER_CERT_PATH (default ~/.docker)";

interface FoundHost {
  readonly host: string;
  readonly warnings?: readonly string[];
}

/** Where the monitor serves Docker's API, or, if none runs, where one would. Throws UNAVAILABLE. */
async function findHost(world: EnvWorld): Promise<FoundHost> {
  const configured = configuredDockerSocket(world.settings);
  const answer = await askStatus(world);
  if (answer.kind !== 'answered') {
    if (answer.kind === 'unclear') throw answer.error;
    if (configured === undefined)
      throw new HealthctlError('UNAVAILABLE', "nothing serves Docker's API: no monitor runs", {
        hint: howToServe(world),
      });
    // A client's connection starts the monitor of a unit's socket.
    const isActivated = installedDockerSocket(world.settings) !== undefined;
    return { host: `unix://${configured}`, warnings: isActivated ? [] : [NOT_RUNNING] };
  }
  const [host] = answer.status.dockerApi?.hosts ?? [];
  if (host !== undefined) return { host };
  throw unservedError(world, answer.status);
}

const NOT_RUNNING =
  'no monitor runs: start it with "healthctl daemon start", or install it with "healthctl daemon install"';
