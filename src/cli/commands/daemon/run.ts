import { isDeepStrictEqual } from 'node:util';
import { createDaemon } from '../../../daemon/daemon.ts';
import { groupIdOf } from '../../../daemon/group-id.ts';
import { createServiceLog } from '../../../daemon/log.ts';
import { telemetrySettingsOf } from '../../../daemon/otel/settings.ts';
import { messageOf } from '../../../lib/errors.ts';
import { randomHex } from '../../../lib/random.ts';
import type { Settings } from '../../../lib/settings.ts';
import { openDescriptorStore } from '../../../system/descriptor-store.ts';
import { limitYoungHeap } from '../../../system/memory.ts';
import { raisePriority } from '../../../system/priority.ts';
import { realPath } from '../../../system/real-path.ts';
import { openNotifier } from '../../../system/sd-notify.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandResult } from '../../command.ts';
import { dockerSocketOf } from '../../config/docker-settings.ts';
import { withPageAt } from '../../config/page-settings.ts';
import { FILE } from '../../flags/values.ts';
import { sweepTimers } from '../../monitor/timers.ts';

/** `healthctl daemon`: the monitor, in the foreground. */
export const run: Command = {
  usage: '[OPTIONS]',
  description:
    'Run the monitor in the foreground. It checks all containers of this containerd that have a health check, until it gets SIGTERM or SIGINT.',
  options: [
    { name: 'autostarted', type: 'bool', help: 'End when there is nothing to do', hidden: true },
    { name: 'no-history', type: 'bool', help: 'Do not record results over time' },
    {
      name: 'page',
      type: 'string',
      help: 'Serve the web page: IP address and port (e.g. "127.0.0.1:9181"), or path of a Unix socket',
    },
    {
      name: 'docker-socket',
      type: 'string',
      help: "Serve Docker's Engine API: path of a Unix socket, or fd:// for one of systemd",
      complete: FILE,
    },
    {
      name: 'log-format',
      type: 'string',
      help: "'text' or 'json' (default text on a terminal, else json)",
      check: (text) => (text === 'text' || text === 'json' ? undefined : 'must be one of "text", "json"'),
      complete: { words: ['text', 'json'] },
    },
  ],
  args: { min: 0, max: 0 },
  run: async (world, { options }) =>
    runDaemon(world, {
      isAutostarted: options.bool('autostarted'),
      keepsHistory: !options.bool('no-history'),
      pageAt: options.string('page'),
      dockerSocket: options.string('docker-socket'),
      form: options.string('log-format'),
    }),
};

interface DaemonOptions {
  readonly isAutostarted: boolean;
  readonly keepsHistory: boolean;
  readonly pageAt: string | undefined;
  readonly dockerSocket: string | undefined;
  readonly form: string | undefined;
}

/** The settings with what the options say. Throws USAGE for an address that is not allowed. */
function withOptions(settings: Settings, { keepsHistory, pageAt, dockerSocket }: DaemonOptions): Settings {
  const { history, monitor } = settings;
  return {
    ...settings,
    history: keepsHistory ? history : { ...history, isEnabled: false },
    monitor: {
      ...monitor,
      ...(pageAt === undefined ? {} : { page: withPageAt(monitor.page, pageAt) }),
      ...(dockerSocket === undefined ? {} : { dockerSocket: dockerSocketOf(dockerSocket) }),
    },
  };
}

async function runDaemon(world: World, options: DaemonOptions): Promise<CommandResult> {
  const { clock } = world;
  const { isAutostarted, form } = options;
  const isText = form === undefined ? world.streams.stderr.isTTY || isAutostarted : form === 'text';
  const containerd = await world.containerd();
  const notifier = openNotifier(world.env);
  const descriptors = openDescriptorStore(world.env, notifier);
  const identity = { id: randomHex(8), program: realPath(process.argv[1] ?? '') ?? '' };
  let { settings } = world;
  const logOf = (debug: boolean) => createServiceLog({ clock, debug, form: isText ? 'text' : 'json' });
  raisePriority(logOf(settings.debug));
  limitYoungHeap();
  let reading = Promise.resolve();
  let round = new AbortController();
  const over = new AbortController();
  const socketGroupIdOf = ({ monitor: { socketGroup } }: Settings) =>
    socketGroup === undefined ? undefined : groupIdOf(socketGroup);
  /** After an error, which is reported, the old settings stay. Has no effect if no setting has changed. */
  const reload = async (): Promise<void> => {
    const log = logOf(settings.debug);
    try {
      const next = await world.reloadSettings();
      if (isDeepStrictEqual(next, settings)) return log.info('the configuration has not changed');
      socketGroupIdOf(next);
      withOptions(next, options);
      settings = next;
      round.abort('reload');
    } catch (error) {
      log.warn(`the configuration was not reloaded: ${messageOf(error)}`);
    }
  };
  const release = world.onSignal((name) => {
    if (name === 'SIGTERM' || name === 'SIGINT') {
      notifier.stopping();
      over.abort();
    }
    if (name === 'SIGHUP') reading = reading.then(reload);
  });
  try {
    while (!over.signal.aborted) {
      round = new AbortController();
      const log = logOf(settings.debug);
      const socketGroupId = socketGroupIdOf(settings);
      const daemon = createDaemon({
        ...{ clock, log, isAutostarted, containerd, socketGroupId, notifier, descriptors, identity },
        settings: withOptions(settings, options),
        telemetry: telemetrySettingsOf(world.env, log.warn),
        path: world.env.PATH ?? '',
        onLocked: () => sweepTimers(world),
      });
      const end = await daemon.run(AbortSignal.any([round.signal, over.signal]));
      // A running monitor does not change its settings: it is stopped, and a new one adopts everything that runs.
      if (end !== 'reload') break;
    }
  } finally {
    release();
  }
  return { exitCode: 0 };
}
