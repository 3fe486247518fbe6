import type { OptionSpec, ParsedOptions } from '../command.ts';

/**
 * Options before the command. Each except help and version is also an environment variable and a key of the
 * configuration file.
 */
export const globalOptions: readonly OptionSpec[] = [
  {
    name: 'address',
    short: 'a',
    aliases: ['H', 'host'],
    type: 'string',
    help: "Path of containerd's socket [$CONTAINERD_ADDRESS] (default /run/containerd/containerd.sock)",
    complete: { paths: 'file' },
  },
  {
    name: 'data-root',
    type: 'string',
    value: 'dir',
    help: 'Directory for data that survives a reboot [$HEALTHCTL_DATA_ROOT] (default /var/lib/healthctl)',
  },
  { name: 'debug', short: 'D', type: 'bool', help: 'Show debug messages, and where an error came from' },
  {
    name: 'namespace',
    short: 'n',
    type: 'string',
    help: 'containerd namespace [$CONTAINERD_NAMESPACE] (default "default")',
    complete: { names: ['namespace'] },
  },
  {
    name: 'run-root',
    type: 'string',
    value: 'dir',
    help: 'Directory for run-time state, best on tmpfs [$HEALTHCTL_RUN_ROOT] (default /run/healthctl)',
  },
  {
    name: 'snapshotter',
    type: 'string',
    help: 'containerd snapshotter [$CONTAINERD_SNAPSHOTTER] (default "overlayfs")',
    complete: { words: ['overlayfs', 'native', 'btrfs', 'zfs', 'devmapper', 'fuse-overlayfs', 'stargz'] },
  },
  { name: 'version', short: 'v', type: 'bool', help: 'Print version information and quit' },
];

/**
 * Accepted by every command and noun; not listed in help. `h` is free for a command's own use (`run -h NAME` sets the
 * host name).
 */
const helpOption: OptionSpec = { name: 'help', type: 'bool', help: 'Print usage', hidden: true };

/** Like `helpOption`, with `-h`, if no option of the command has that letter. */
const helpOptionWithShort: OptionSpec = { ...helpOption, aliases: ['h'] };

/** A command's options and help. */
export function withHelp(specs: readonly OptionSpec[]): readonly OptionSpec[] {
  const taken = specs.some((spec) => spec.short === 'h' || spec.aliases?.includes('h'));
  return [...specs, taken ? helpOption : helpOptionWithShort];
}

/** Settings given on the command line; absent where the environment or a file decides. */
export interface GlobalFlags {
  readonly address?: string;
  readonly namespace?: string;
  readonly snapshotter?: string;
  readonly runRoot?: string;
  readonly dataRoot?: string;
  readonly debug?: boolean;
}

/** Extracts the settings from parsed global options. */
export function globalFlagsFrom(options: ParsedOptions): GlobalFlags {
  const text = (key: string, name: string) => {
    const value = options.string(name);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    ...text('address', 'address'),
    ...text('namespace', 'namespace'),
    ...text('snapshotter', 'snapshotter'),
    ...text('runRoot', 'run-root'),
    ...text('dataRoot', 'data-root'),
    ...(options.given('debug') ? { debug: options.bool('debug') } : {}),
  };
}
