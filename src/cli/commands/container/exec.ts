import { HealthctlError } from '../../../lib/errors.ts';
import { parseEnv } from '../../../oci/parse.ts';
import type { Command, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { checkBy } from '../../flags/check-by.ts';
import { environmentFrom } from '../../flags/create.ts';
import { FILE, RUNNING, VARIABLE } from '../../flags/values.ts';

/** `healthctl exec`: Docker's. */
export const exec: Command = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  options: [
    { name: 'detach', short: 'd', type: 'bool', help: 'Detached mode: run command in the background' },
    { name: 'detach-keys', type: 'string', help: 'Override the key sequence for detaching a container' },
    {
      name: 'env',
      short: 'e',
      type: 'list',
      help: 'Set environment variables',
      check: checkBy((text) => parseEnv(text, {})),
      complete: VARIABLE,
    },
    { name: 'env-file', type: 'list', help: 'Read in a file of environment variables', complete: FILE },
    { name: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
    { name: 'privileged', type: 'bool', help: 'Give extended privileges to the command' },
    { name: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
    { name: 'user', short: 'u', type: 'string', help: 'Username or UID (format: "<name|uid>[:<group|gid>]")' },
    { name: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  ],
  args: { min: 2 },
  complete: [RUNNING],
  optionsEndAtArgument: true,
  run: async (world, { options, args: [nameOrId = '', ...args] }) => {
    const env = await environmentFrom(options, world);
    const [ctx, { resolveView }, { execInContainer }, { parseDetachKeys }] = await Promise.all([
      openContainers(world),
      import('../../../container/resolve.ts'),
      import('../../../container/exec/exec.ts'),
      import('../../../container/console/detach-keys.ts'),
    ]);
    const detachKeys = parseDetachKeys(options.string('detach-keys'), 'escape');
    const view = await resolveView(ctx, nameOrId, { signal: world.signal });
    const [user, cwd] = [options.string('user'), options.string('workdir')];
    const end = await execInContainer(ctx, world, view, {
      args,
      env,
      ...(user ? { user } : {}),
      ...(cwd ? { cwd } : {}),
      privileged: options.bool('privileged'),
      terminal: options.bool('tty'),
      detach: options.bool('detach'),
      stdin: options.bool('interactive'),
      detachKeys,
    });
    if (end.kind === 'left') throw new HealthctlError('CONFLICT', 'read escape sequence');
    return end.kind === 'exited' ? ({ exitCode: end.exitCode } satisfies CommandResult) : {};
  },
};
