import { resolveView } from '../../../container/resolve.ts';
import { humanSize } from '../../../go/units.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import type { Copied } from '../../copy/copy.ts';
import { splitArgument } from '../../copy/rules.ts';
import { CONTAINER, FILE } from '../../flags/values.ts';

/** A container's path, or a local one. */
const EITHER = { names: CONTAINER.names ?? [], paths: FILE.paths ?? 'file' } as const;

/** `healthctl cp`: Docker's. */
export const cp: Command = {
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH',
  description: `Copy files and directories between a container and the host.

With - as the source, read a tar archive from stdin and extract it into a directory
of the container. With - as the destination, write a tar archive to stdout.`,
  options: [
    { name: 'archive', short: 'a', type: 'bool', help: 'Archive mode (copy all uid/gid information)' },
    { name: 'follow-link', short: 'L', type: 'bool', help: 'Always follow symbol link in SRC_PATH' },
    {
      name: 'quiet',
      short: 'q',
      type: 'bool',
      help: 'Print nothing after the copy. Default without a terminal',
    },
  ],
  args: { min: 2, max: 2 },
  complete: [EITHER, EITHER],
  run: (world, input) => runCopy(world, input),
};

async function runCopy(world: World, { options, args }: CommandInput): Promise<CommandResult> {
  const [from = '', to = ''] = args;
  if (from === '') throw new HealthctlError('INVALID', 'source can not be empty');
  if (to === '') throw new HealthctlError('INVALID', 'destination can not be empty');
  const [source, target] = [splitArgument(from), splitArgument(to)];
  const called = source.container ?? target.container ?? '';
  if (source.container && target.container)
    throw new HealthctlError('INVALID', 'copying between containers is not supported');
  if (called === '') throw new HealthctlError('INVALID', 'must specify at least one container source');
  const ctx = await openContainers(world);
  const view = await resolveView(ctx, called, world);
  const { copyFromContainer, copyToContainer, openCopy } = await import('../../copy/copy.ts');
  const request = {
    ...{ view, called, from: source.path, to: target.path, signal: world.signal },
    ...{ followsLink: options.bool('follow-link'), copiesOwner: options.bool('archive') },
  };
  if (source.container && target.path === '-') {
    await printArchive(world, await openCopy(ctx, request));
    return {};
  }
  const copied = source.container
    ? await copyFromContainer(ctx, request)
    : await copyToContainer(ctx, request, world.streams.stdin);
  return options.bool('quiet') || world.streams.stdout.isTTY !== true ? {} : { stdout: sentence(copied) };
}

const sentence = ({ bytes, target }: Copied): string => `Successfully copied ${humanSize(bytes, 3)} to ${target}\n`;

async function printArchive({ streams, signal }: World, content: AsyncIterable<Buffer>): Promise<void> {
  const { writerTo } = await import('../../../container/console/user-console.ts');
  const write = writerTo(streams.stdout, signal);
  for await (const chunk of content) {
    if (signal.aborted) throw new HealthctlError('ABORTED', 'the copy was cancelled');
    await write(chunk);
  }
}
