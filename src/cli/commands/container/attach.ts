import { HealthctlError } from '../../../lib/errors.ts';
import { LABELS } from '../../../lib/labels.ts';
import { type ContainerView, refuseUnknown } from '../../../record/view.ts';
import { removeAfterEnd, resultOfAttachment } from '../../attached.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { RUNNING } from '../../flags/values.ts';

/** `healthctl attach`: Docker's. */
export const attach: Command = {
  usage: '[OPTIONS] CONTAINER',
  options: [
    { name: 'detach-keys', type: 'string', help: 'Override the key sequence for detaching a container' },
    { name: 'no-stdin', type: 'bool', help: 'Do not attach STDIN' },
    { name: 'sig-proxy', type: 'bool', help: 'Proxy all received signals to the process', default: true },
  ],
  args: { min: 1, max: 1 },
  complete: [RUNNING],
  run: async (world, { options, args: [nameOrId = ''] }) => {
    const [ctx, { resolveView }, { attachContainer }, { parseDetachKeys }, { checkTerminal }, { storedConfigOf }] =
      await Promise.all([
        openContainers(world),
        import('../../../container/resolve.ts'),
        import('../../../container/console/attach.ts'),
        import('../../../container/console/detach-keys.ts'),
        import('../../../container/console/user-console.ts'),
        import('../../../record/stored-config.ts'),
      ]);
    const detachKeys = parseDetachKeys(options.string('detach-keys'));
    const view = await resolveView(ctx, nameOrId, { signal: world.signal });
    const task = attachableTask(view);
    const config = storedConfigOf(view.record)?.Config;
    const wantsStdin = !options.bool('no-stdin');
    checkTerminal(world, { terminal: task.terminal, stdin: wantsStdin });
    const attachment = await attachContainer(ctx, world, {
      containerId: view.record.id,
      pid: task.pid,
      stdio: task,
      isNew: false,
      stdin: !wantsStdin || task.stdin === '' ? 'none' : config?.StdinOnce === true ? 'once' : 'shared',
      proxySignals: options.bool('sig-proxy') && !task.terminal,
      detachKeys,
    });
    const end = await attachment.ended;
    if (end.kind === 'detached') throw refusal('read escape sequence');
    await removeAfterEnd(world, ctx, view.record.id, end);
    return resultOfAttachment(end);
  },
};

function attachableTask(view: ContainerView): NonNullable<ContainerView['task']> {
  refuseUnknown(view);
  const { record, task, state, name } = view;
  if (state === 'paused') throw refusal('cannot attach to a paused container, unpause it first');
  if (state !== 'running' || !task) throw refusal('cannot attach to a stopped container, start it first');
  if (record.labels[LABELS.owner] === undefined) {
    throw refusal(`the output of container ${name} is not healthctl's: attach with the tool that made it`);
  }
  return task;
}

function refusal(message: string): HealthctlError {
  return new HealthctlError('CONFLICT', message);
}
