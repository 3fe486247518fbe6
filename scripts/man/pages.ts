import type { Command, CommandEntry, OptionSpec } from '../../src/cli/command.ts';
import { type Noun, pathsOf, type Registry } from '../../src/cli/grammar/command-tree.ts';
import { globalOptions } from '../../src/cli/grammar/globals.ts';
import { bold, italic, page, roff, section, tagged } from './roff.ts';

/** Facts about the program for each page. */
export interface About {
  readonly version: string;
  /** The date of the pages, in seconds since the epoch. */
  readonly seconds: number;
}

/**
 * The man pages by file name: one for the program, each noun and each command. Other names of a command refer to its
 * page.
 */
export async function manPages({ nouns, commands }: Registry, about: About): Promise<ReadonlyMap<string, string>> {
  const shown = commands.filter(({ hidden }) => !hidden);
  const pages = new Map<string, string>([['healthctl.1', programPage(nouns, shown, about)]]);
  for (const noun of nouns) pages.set(fileOf([noun.name]), nounPage(noun, shown, about));
  for (const entry of shown) {
    pages.set(fileOf(entry.path), commandPage(entry, await entry.load(), about));
    for (const alias of entry.aliases) pages.set(fileOf(alias), `.so man1/${fileOf(entry.path)}\n`);
  }
  return pages;
}

const nameOf = (path: readonly string[]): string => ['healthctl', ...path].join('-');
const fileOf = (path: readonly string[]): string => `${nameOf(path)}.1`;
const reference = (path: readonly string[]): string => `${bold(nameOf(path))}(1)`;

function commandPage(entry: CommandEntry, command: Command, about: About): string {
  const { path, summary } = entry;
  const lines = pathsOf(entry).map((words) => synopsis(words, command.usage));
  const names = pathsOf(entry).map((words) => roff(nameOf(words)));
  const text = command.description ?? summary;
  const noun = path.length > 1 ? [[path[0] ?? '']] : [];
  return page(nameOf(path), about, [
    section('NAME', `${names.join(', ')} \\- ${roff(summary)}`),
    section('SYNOPSIS', lines.join('\n.br\n')),
    section('DESCRIPTION', roff(sentence(text))),
    optionsSection(command.options),
    section('SEE ALSO', [[], ...noun].map(reference).join(', ')),
  ]);
}

function nounPage(noun: Noun, commands: readonly CommandEntry[], about: About): string {
  const under = commands.flatMap((entry) => {
    const path = pathsOf(entry).find(([first, second]) => first === noun.name && second !== undefined);
    return path ? [{ path, entry }] : [];
  });
  const alone =
    noun.alone === undefined ? '' : ` Without a command it is ${bold(`healthctl ${noun.name} ${noun.alone}`)}.`;
  return page(nameOf([noun.name]), about, [
    section('NAME', `${roff(nameOf([noun.name]))} \\- ${roff(noun.summary)}`),
    section('SYNOPSIS', `${bold(`healthctl ${noun.name}`)} ${italic('COMMAND')}`),
    section('DESCRIPTION', `${roff(sentence(noun.summary))}${alone}`),
    section(
      'COMMANDS',
      under.map(({ entry }) => tagged(reference(entry.path), roff(sentence(entry.summary)))).join('\n'),
    ),
    section('SEE ALSO', reference([])),
  ]);
}

function programPage(nouns: readonly Noun[], commands: readonly CommandEntry[], about: About): string {
  const summary = 'containers with health checks on any containerd host, with the commands of Docker';
  const top = commands.filter((entry) => pathsOf(entry).some((path) => path.length === 1));
  const rows = [
    ...nouns.map((noun) => tagged(reference([noun.name]), roff(sentence(noun.summary)))),
    ...top.map((entry) => {
      const path = pathsOf(entry).find((words) => words.length === 1) ?? entry.path;
      return tagged(reference(path), roff(sentence(entry.summary)));
    }),
  ];
  return page('healthctl', about, [
    section('NAME', `healthctl \\- ${roff(summary)}`),
    section('SYNOPSIS', `${bold('healthctl')} [${italic('OPTIONS')}] ${italic('COMMAND')} [${italic('ARG')}...]`),
    section('DESCRIPTION', DESCRIPTION),
    optionsSection(globalOptions),
    section('COMMANDS', rows.join('\n')),
    section('ENVIRONMENT', ENVIRONMENT.map(([name, text]) => tagged(bold(name), roff(text))).join('\n')),
    section('FILES', FILES.map(([name, text]) => tagged(italic(name), roff(text))).join('\n')),
    section('EXIT STATUS', STATUSES.map(([status, text]) => tagged(bold(status), roff(text))).join('\n')),
    section('SEE ALSO', `${bold('containerd')}(8), ${bold('ctr')}(8), ${bold('systemd.service')}(5)`),
  ]);
}

const DESCRIPTION = [
  "healthctl runs containers on containerd, with Docker's commands and options, and checks their health as Docker does. The monitor (healthctl daemon) makes the checks on schedule, for the containers of nerdctl and ctr too; the first container with a health check starts it.",
  'A command about containers also exists under container, one about images under image.',
]
  .map(roff)
  .join('\n.PP\n');

const ENVIRONMENT = [
  ['CONTAINERD_ADDRESS', "The path of containerd's socket, as --address."],
  ['CONTAINERD_NAMESPACE', 'The namespace of containerd, as --namespace.'],
  ['CONTAINERD_SNAPSHOTTER', 'The snapshotter, as --snapshotter.'],
  ['HEALTHCTL_DATA_ROOT', 'As --data-root.'],
  ['HEALTHCTL_RUN_ROOT', 'As --run-root.'],
  ['HEALTHCTL_TOML', 'The configuration file.'],
] as const;

const FILES = [
  ['/etc/healthctl/healthctl.toml', 'The configuration, if it is there.'],
  ['/run/healthctl', 'State that ends with the host: health, sockets, locks.'],
  ['/var/lib/healthctl', 'Volumes, output of containers, networks.'],
] as const;

const STATUSES = [
  ['0', 'Success.'],
  ['1', 'The command failed, is unknown, or has a wrong number of arguments.'],
  ['125', 'An option or its value is wrong; run: healthctl itself failed.'],
  ['126', 'run, start, exec: the program cannot be executed.'],
  ['127', 'run, start, exec: there is no such program.'],
  ['other', 'run, start, attach, exec: the exit status of the program in the container.'],
] as const;

function synopsis(path: readonly string[], usage: string): string {
  const words = usage.split(' ').filter((word) => word !== '');
  return [bold(['healthctl', ...path].join(' ')), ...words.map(roff)].join(' ');
}

function optionsSection(specs: readonly OptionSpec[]): string {
  const shown = specs.filter(({ hidden }) => !hidden).toSorted(byName);
  return section('OPTIONS', shown.map(optionEntry).join('\n'));
}

function optionEntry(spec: OptionSpec): string {
  const names = [...(spec.short === undefined ? [] : [`-${spec.short}`]), `--${spec.name}`].map(bold).join(', ');
  const value = spec.value ?? (spec.type === 'bool' ? undefined : spec.type);
  const shown =
    spec.default === undefined || spec.default === false || spec.default === '' ? '' : ` (default ${spec.default})`;
  const text = spec.help
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
  return tagged(value === undefined ? names : `${names} ${italic(value)}`, roff(sentence(text + shown)));
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const byName = (a: OptionSpec, b: OptionSpec): number => (a.name < b.name ? -1 : 1);
