import type { Command, CommandEntry } from './command.ts';

/** A word under which commands are grouped: `healthctl container ls`. */
export interface Noun {
  readonly name: string;
  readonly summary: string;
  /** The command that the noun alone means: `healthctl daemon` is `healthctl daemon run`. Absent: its help. */
  readonly alone?: string;
}

const nouns: readonly Noun[] = [
  { name: 'container', summary: 'Manage containers' },
  { name: 'daemon', summary: 'Run and manage the monitor', alone: 'run' },
  { name: 'healthcheck', summary: 'Run health checks' },
  { name: 'image', summary: 'Manage images' },
  { name: 'network', summary: 'Manage networks' },
  { name: 'system', summary: 'Manage healthctl' },
  { name: 'volume', summary: 'Manage volumes' },
];

/** All commands. To add one, add a line here and a file under commands/; nothing registers itself. */
const commands: readonly CommandEntry[] = [
  {
    path: ['container', 'run'],
    aliases: [['run']],
    summary: 'Create and run a new container from an image',
    common: true,
    load: async () => (await import('./commands/container/run.ts')).run,
  },
  {
    path: ['container', 'create'],
    aliases: [['create']],
    summary: 'Create a new container',
    load: async () => (await import('./commands/container/create.ts')).create,
  },
  {
    path: ['container', 'ls'],
    aliases: [['container', 'list'], ['container', 'ps'], ['ps']],
    summary: 'List containers',
    common: true,
    load: async () => (await import('./commands/container/list.ts')).list,
  },
  {
    path: ['container', 'start'],
    aliases: [['start']],
    summary: 'Start one or more stopped containers',
    load: async () => (await import('./commands/container/start.ts')).start,
  },
  {
    path: ['container', 'stop'],
    aliases: [['stop']],
    summary: 'Stop one or more running containers',
    load: async () => (await import('./commands/container/stop.ts')).stop,
  },
  {
    path: ['container', 'restart'],
    aliases: [['restart']],
    summary: 'Restart one or more containers',
    load: async () => (await import('./commands/container/restart.ts')).restart,
  },
  {
    path: ['container', 'update'],
    aliases: [['update']],
    summary: 'Change the health check or the restart policy of containers',
    load: async () => (await import('./commands/container/update.ts')).update,
  },
  {
    path: ['container', 'explain'],
    aliases: [['explain']],
    summary: 'Explain the health of a container, and what to do',
    load: async () => (await import('./commands/container/explain.ts')).explain,
  },
  {
    path: ['container', 'rename'],
    aliases: [['rename']],
    summary: 'Rename a container',
    load: async () => (await import('./commands/container/rename.ts')).rename,
  },
  {
    path: ['container', 'kill'],
    aliases: [['kill']],
    summary: 'Kill one or more running containers',
    load: async () => (await import('./commands/container/kill.ts')).kill,
  },
  {
    path: ['container', 'pause'],
    aliases: [['pause']],
    summary: 'Pause all processes within one or more containers',
    load: async () => (await import('./commands/container/pause.ts')).pause,
  },
  {
    path: ['container', 'unpause'],
    aliases: [['unpause']],
    summary: 'Unpause all processes within one or more containers',
    load: async () => (await import('./commands/container/unpause.ts')).unpause,
  },
  {
    path: ['container', 'port'],
    aliases: [['port']],
    summary: 'List port mappings or a specific mapping for the container',
    load: async () => (await import('./commands/container/port.ts')).port,
  },
  {
    path: ['container', 'wait'],
    aliases: [['wait']],
    summary: 'Block until one or more containers stop, then print their exit codes',
    load: async () => (await import('./commands/container/wait.ts')).wait,
  },
  {
    path: ['container', 'top'],
    aliases: [['top']],
    summary: 'Display the running processes of a container',
    load: async () => (await import('./commands/container/top.ts')).top,
  },
  {
    path: ['container', 'rm'],
    aliases: [['container', 'remove'], ['rm']],
    summary: 'Remove one or more containers',
    load: async () => (await import('./commands/container/remove.ts')).remove,
  },
  {
    path: ['container', 'prune'],
    aliases: [],
    summary: 'Remove all stopped containers',
    load: async () => (await import('./commands/container/prune.ts')).prune,
  },
  {
    path: ['container', 'inspect'],
    aliases: [],
    summary: 'Display detailed information on one or more containers',
    load: async () => (await import('./commands/container/inspect.ts')).inspectContainers,
  },
  {
    path: ['container', 'healthcheck'],
    aliases: [],
    summary: 'Run the health check of a container once, and record its result',
    load: async () => (await import('./commands/container/healthcheck.ts')).healthcheck,
  },
  {
    path: ['healthcheck', 'run'],
    aliases: [],
    summary: 'Run the health check of a container once; the exit status says whether it passed',
    load: async () => (await import('./commands/healthcheck/run.ts')).run,
  },
  {
    path: ['inspect'],
    aliases: [],
    summary: 'Return low-level information on containers, images and volumes',
    common: true,
    load: async () => (await import('./commands/container/inspect.ts')).inspect,
  },
  {
    path: ['system', 'info'],
    aliases: [['info']],
    summary: 'Display system-wide information',
    load: async () => (await import('./commands/system/info.ts')).info,
  },
  {
    path: ['system', 'events'],
    aliases: [['events']],
    summary: 'Get events as they happen',
    load: async () => (await import('./commands/system/events.ts')).events,
  },
  {
    path: ['system', 'uninstall'],
    aliases: [['uninstall']],
    summary: 'Remove what healthctl made on this host',
    load: async () => (await import('./commands/system/uninstall.ts')).uninstall,
  },
  {
    path: ['container', 'exec'],
    aliases: [['exec']],
    summary: 'Execute a command in a running container',
    common: true,
    load: async () => (await import('./commands/container/exec.ts')).exec,
  },
  {
    path: ['container', 'attach'],
    aliases: [['attach']],
    summary: 'Attach local standard input, output, and error streams to a running container',
    load: async () => (await import('./commands/container/attach.ts')).attach,
  },
  {
    path: ['container', 'logs'],
    aliases: [['logs']],
    summary: 'Fetch the logs of a container',
    common: true,
    load: async () => (await import('./commands/container/logs.ts')).logs,
  },
  {
    path: ['image', 'load'],
    aliases: [['load']],
    summary: 'Load an image from a tar archive or STDIN',
    load: async () => (await import('./commands/image/load.ts')).load,
  },
  {
    path: ['image', 'pull'],
    aliases: [['pull']],
    summary: 'Download an image from a registry',
    load: async () => (await import('./commands/image/pull.ts')).pull,
  },
  {
    path: ['image', 'ls'],
    aliases: [['image', 'list'], ['images']],
    summary: 'List images',
    load: async () => (await import('./commands/image/list.ts')).list,
  },
  {
    path: ['image', 'rm'],
    aliases: [['image', 'remove'], ['rmi']],
    summary: 'Remove one or more images',
    load: async () => (await import('./commands/image/remove.ts')).remove,
  },
  {
    path: ['image', 'prune'],
    aliases: [],
    summary: 'Remove unused images',
    load: async () => (await import('./commands/image/prune.ts')).prune,
  },
  {
    path: ['image', 'tag'],
    aliases: [['tag']],
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    load: async () => (await import('./commands/image/tag.ts')).tag,
  },
  {
    path: ['image', 'inspect'],
    aliases: [],
    summary: 'Display detailed information on one or more images',
    load: async () => (await import('./commands/image/inspect.ts')).inspect,
  },
  {
    path: ['network', 'create'],
    aliases: [],
    summary: 'Create a network',
    load: async () => (await import('./commands/network/create.ts')).create,
  },
  {
    path: ['network', 'inspect'],
    aliases: [],
    summary: 'Display detailed information on one or more networks',
    load: async () => (await import('./commands/network/inspect.ts')).inspect,
  },
  {
    path: ['network', 'ls'],
    aliases: [['network', 'list']],
    summary: 'List networks',
    load: async () => (await import('./commands/network/list.ts')).list,
  },
  {
    path: ['network', 'prune'],
    aliases: [],
    summary: 'Remove all unused networks',
    load: async () => (await import('./commands/network/prune.ts')).prune,
  },
  {
    path: ['network', 'rm'],
    aliases: [['network', 'remove']],
    summary: 'Remove one or more networks',
    load: async () => (await import('./commands/network/remove.ts')).remove,
  },
  {
    path: ['volume', 'create'],
    aliases: [],
    summary: 'Create a volume',
    load: async () => (await import('./commands/volume/create.ts')).create,
  },
  {
    path: ['volume', 'ls'],
    aliases: [['volume', 'list']],
    summary: 'List volumes',
    load: async () => (await import('./commands/volume/list.ts')).list,
  },
  {
    path: ['volume', 'inspect'],
    aliases: [],
    summary: 'Display detailed information on one or more volumes',
    load: async () => (await import('./commands/volume/inspect.ts')).inspect,
  },
  {
    path: ['volume', 'rm'],
    aliases: [['volume', 'remove']],
    summary: 'Remove one or more volumes',
    load: async () => (await import('./commands/volume/remove.ts')).remove,
  },
  {
    path: ['volume', 'prune'],
    aliases: [],
    summary: 'Remove unused local volumes',
    load: async () => (await import('./commands/volume/prune.ts')).prune,
  },
  {
    path: ['daemon', 'run'],
    aliases: [],
    summary: 'Run the monitor in the foreground',
    load: async () => (await import('./commands/daemon/run.ts')).run,
  },
  {
    path: ['daemon', 'start'],
    aliases: [],
    summary: 'Start the monitor in the background',
    load: async () => (await import('./commands/daemon/start.ts')).start,
  },
  {
    path: ['daemon', 'stop'],
    aliases: [],
    summary: 'End the monitor',
    load: async () => (await import('./commands/daemon/stop.ts')).stop,
  },
  {
    path: ['daemon', 'status'],
    aliases: [],
    summary: 'Show whether the monitor runs, and what it does',
    load: async () => (await import('./commands/daemon/status.ts')).status,
  },
  {
    path: ['daemon', 'logs'],
    aliases: [],
    summary: 'Print the log of a monitor that a command started',
    load: async () => (await import('./commands/daemon/logs.ts')).logs,
  },
  {
    path: ['daemon', 'install'],
    aliases: [],
    summary: 'Make systemd run the monitor',
    load: async () => (await import('./commands/daemon/install.ts')).install,
  },
  {
    path: ['daemon', 'uninstall'],
    aliases: [],
    summary: 'Remove the monitor from systemd',
    load: async () => (await import('./commands/daemon/uninstall.ts')).uninstall,
  },
  {
    path: ['daemon', 'check-once'],
    aliases: [],
    summary: 'Make one check of a container when it is due',
    hidden: true,
    load: async () => (await import('./commands/daemon/check-once.ts')).checkOnceCommand,
  },
  {
    path: ['version'],
    aliases: [],
    summary: 'Show the versions of healthctl and of containerd',
    load: async () => (await import('./commands/system/version.ts')).version,
  },
];

/** The meaning of the words of a command line. */
export type Target =
  | {
      readonly kind: 'root' /** With the summary of each command: `healthctl help --all`. */;
      readonly isWhole?: boolean;
    }
  | { readonly kind: 'noun'; readonly noun: Noun }
  | {
      readonly kind: 'command';
      readonly entry: CommandEntry /** As the user wrote it. */;
      readonly path: readonly string[];
    };

/** A command with the words that called it. */
export type CommandTarget = Extract<Target, { kind: 'command' }>;

/** The registry as an argument, so that tests can pass their own. */
export interface Registry {
  readonly nouns: readonly Noun[];
  readonly commands: readonly CommandEntry[];
}

export const registry: Registry = { nouns, commands };

/** All paths of a command, the one in help first. */
export function pathsOf(entry: CommandEntry): readonly (readonly string[])[] {
  return [entry.path, ...entry.aliases];
}

/** The command with exactly these words, e.g. `['container', 'ls']`. */
export function findCommand({ commands }: Registry, path: readonly string[]): CommandTarget | undefined {
  const wanted = path.join(' ');
  const entry = commands.find((candidate) => pathsOf(candidate).some((words) => words.join(' ') === wanted));
  return entry === undefined ? undefined : { kind: 'command', entry, path };
}

/**
 * The words that may follow a prefix: `[]` gives top-level commands and nouns, `['container']` that noun's commands.
 */
export function wordsAfter({ nouns, commands }: Registry, prefix: readonly string[]): readonly string[] {
  const words = commands
    .filter((entry) => !entry.hidden)
    .flatMap(pathsOf)
    .filter((path) => path.length === prefix.length + 1 && prefix.every((word, index) => path[index] === word))
    .map((path) => path.at(-1) ?? '');
  return prefix.length === 0 ? [...words, ...nouns.map((noun) => noun.name)] : words;
}

/** Loads the module of a command. */
export function loadCommand(target: CommandTarget): Promise<Command> {
  return target.entry.load();
}
