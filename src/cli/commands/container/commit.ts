import { commitContainer } from '../../../container/commit.ts';
import { resolveView } from '../../../container/resolve.ts';
import { parseReference, withDefaultTag } from '../../../image/reference.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { ANYTHING, CONTAINER } from '../../flags/values.ts';

/** `healthctl commit`: Docker's. */
export const commit: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  options: [
    { name: 'author', short: 'a', type: 'string', help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    { name: 'change', short: 'c', type: 'list', help: 'Apply Dockerfile instruction to the created image' },
    { name: 'message', short: 'm', type: 'string', help: 'Commit message' },
    { name: 'pause', short: 'p', type: 'bool', default: true, help: 'Pause container during commit' },
  ],
  args: { min: 1, max: 2 },
  complete: [CONTAINER, ANYTHING],
  run: async (world, { options, args: [nameOrId = '', name] }) => {
    const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
    if (reference?.digest !== undefined) throw new HealthctlError('INVALID', 'cannot import digest reference');
    const ctx = await openContainers(world);
    const { signal } = world;
    const id = await commitContainer(ctx, await resolveView(ctx, nameOrId, { signal }), {
      reference,
      author: options.string('author') ?? '',
      comment: options.string('message') ?? '',
      changes: options.list('change'),
      pause: options.bool('pause'),
      signal,
    });
    return { stdout: `${id}\n` };
  },
};
