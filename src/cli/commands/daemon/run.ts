import { createDaemon } from '../../../daemon/daemon.ts';
import { groupIdOf } from '../../../daemon/group.ts';
import { createServiceLog } from '../../../daemon/log.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ServiceLogger } from '../../../lib/logger.ts';
import type { Settings } from '../../../lib/settings.ts';
import { raisePriority } from '../../../system/priority.ts';
import { openNotifier } from '../../../system/sd-notify.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandResult } from '../../command.ts';
import { sweepTimers } from '../../timers.ts';

/** `healthctl daemon`: the monitor, in the foreground. */
export const run: Command = {
  usage: '[OPTIONS]',
  description:
    'Run the monitor in the foreground. It checks all containers of this containerd that have a health check, until it is told to end.',
  options: [
    { name: 'autostarted', type: 'bool', help: 'End when there is nothing to do', hidden: true },
    {
      name: 'log-format',
      type: 'string',
      help: "'text' or 'json' (default text on a terminal, else json)",
      check: (text) => (text === 'text' || text === 'json' ? undefined : 'must be one of "text", "json"'),
    },
  ],
  args: { min: 0, max: 0 },
  run: async (world, { options }) =>
    runDaemon(world, { isAutostarted: options.bool('autostarted'), form: options.string('log-format') }),
};

async function runDaemon(
  world: World,
  { isAutostarted, form }: { readonly isAutostarted: boolean; readonly form: string | undefined },
): Promise<CommandResult> {
  const { clock } = world;
  const isText = form === undefined ? world.streams.stderr.isTTY || isAutostarted : form === 'text';
  const containerd = await world.containerd();
  const notifier = openNotifier(world.env);
  await sweepTimers(world);
  let { settings } = world;
  const logOf = (debug: boolean) => createServiceLog({ clock, debug, form: isText ? 'text' : 'json' });
  raisePriority(logOf(settings.debug));
  let round = new AbortController();
  const over = new AbortController();
  const release = world.onSignal((name) => {
    if (name === 'SIGTERM' || name === 'SIGINT') {
      notifier.stopping();
      over.abort();
    }
    if (name === 'SIGHUP') round.abort();
  });
  try {
    while (!over.signal.aborted) {
      const log = logOf(settings.debug);
      const { socketGroup } = settings.monitor;
      const socketGroupId = socketGroup === undefined ? undefined : groupIdOf(socketGroup);
      const daemon = createDaemon({ clock, log, settings, isAutostarted, containerd, socketGroupId, notifier });
      const end = await daemon.run(AbortSignal.any([round.signal, over.signal]));
      if (end !== 'signal') break;
      // What runs does not change its settings: it is stopped, and another one adopts all that is running.
      settings = await reloadOr(world, settings, log);
      round = new AbortController();
    }
  } finally {
    release();
  }
  return { exitCode: 0 };
}

/** A configuration that cannot be read is told, and the old one stays. */
async function reloadOr(world: World, settings: Settings, log: ServiceLogger): Promise<Settings> {
  try {
    return await world.reloadSettings();
  } catch (error) {
    log.warn(`the configuration stays as it was: ${messageOf(error)}`);
    return settings;
  }
}
