import type { Command, CommandEntry, OptionSpec } from '../command.ts';
import { loadCommand, type Noun, pathsOf, type Registry, type Target } from './command-tree.ts';
import { globalOptions } from './globals.ts';
import { flagLabel } from './parse.ts';
import { commandLine, usageLine } from './usage.ts';

const DEFAULT_WIDTH = 80;
const NAME_WIDTH = 11;

/**
 * The help text of the program, a noun or a command, in Docker's layout.
 *
 * @param width columns of the terminal; help texts of options are wrapped to it (default 80)
 */
export async function renderHelp(registry: Registry, target: Target, width = DEFAULT_WIDTH): Promise<string> {
  switch (target.kind) {
    case 'root':
      return target.isWhole ? wholeHelp(registry, width) : rootHelp(registry, width);
    case 'noun':
      return nounHelp(registry, target.noun);
    case 'command':
      return commandHelp(await loadCommand(target), target.entry, target.path, width);
  }
}

const SUMMARY = 'Containers with health checks on any containerd host: the commands of Docker';

/** Fits a terminal of 24 lines: less common commands and the options by name alone. */
function rootHelp(registry: Registry, width: number): string {
  const { common, nouns, others } = topWords(registry);
  const names = (rows: readonly Pick<Row, 'name'>[]): string =>
    wrapWords(
      rows.map(({ name }) => name),
      { width, mark: ',' },
    );
  const options = globalOptions.map(({ name }) => `--${name}`);
  return paragraphs(
    'Usage:  healthctl [OPTIONS] COMMAND',
    SUMMARY,
    list('Common Commands', common),
    `Management Commands:\n${names(nouns)}`,
    `Commands:\n${names(others)}`,
    `Global Options:\n${wrapWords(options, { width, mark: '' })}`,
    "Run 'healthctl COMMAND --help' for one of them, 'healthctl help --all' for all.",
  );
}

function wholeHelp(registry: Registry, width: number): string {
  const { common, nouns, others } = topWords(registry);
  return paragraphs(
    'Usage:  healthctl [OPTIONS] COMMAND',
    SUMMARY,
    list('Common Commands', common),
    list('Management Commands', nouns),
    list('Commands', others),
    `Global Options:\n${optionTable(globalOptions, width)}`,
    "Run 'healthctl COMMAND --help' for more information on a command.",
  );
}

/** What may follow `healthctl`. */
function topWords(registry: Registry): Record<'common' | 'nouns' | 'others', readonly Row[]> {
  const top = registry.commands.filter((entry) => !entry.hidden && topName(entry) !== undefined);
  const rows = (entries: readonly CommandEntry[]) =>
    entries.map((entry) => ({ name: topName(entry) ?? '', summary: entry.summary }));
  return {
    common: rows(top.filter((entry) => entry.common)),
    nouns: registry.nouns.filter((noun) => commandsUnder(registry, noun).length > 0),
    others: rows(top.filter((entry) => !entry.common)).sort(byName),
  };
}

/** Words in lines of the terminal's width, each but the last with a mark behind it. */
function wrapWords(
  words: readonly string[],
  { width, mark }: { readonly width: number; readonly mark: string },
): string {
  const lines: string[] = [];
  for (const [index, word] of words.entries()) {
    const text = index + 1 < words.length ? word + mark : word;
    const longer = `${lines.at(-1)} ${text}`;
    if (lines.length > 0 && longer.length < width) lines[lines.length - 1] = longer;
    else lines.push(`  ${text}`);
  }
  return lines.join('\n');
}

function nounHelp(registry: Registry, noun: Noun): string {
  return paragraphs(
    `Usage:  ${commandLine([noun.name])} ${noun.alone === undefined ? 'COMMAND' : '[COMMAND]'}`,
    noun.alone === undefined ? noun.summary : `${noun.summary}. Without a command: ${noun.alone}.`,
    list('Commands', commandsUnder(registry, noun)),
    `Run '${commandLine([noun.name])} COMMAND --help' for more information on a command.`,
  );
}

function commandHelp(command: Command, entry: CommandEntry, path: readonly string[], width: number): string {
  const shown = command.options.filter((spec) => !spec.hidden);
  const aliases = pathsOf(entry).map(commandLine).join(', ');
  return paragraphs(
    `Usage:  ${usageLine(path, command.usage)}`,
    command.description ?? entry.summary,
    entry.aliases.length > 0 ? `Aliases:\n  ${aliases}` : '',
    shown.length > 0 ? `Options:\n${optionTable(shown, width)}` : '',
  );
}

interface Row {
  readonly name: string;
  readonly summary: string;
}

/** The one-word name of a command, if it has one: `ps` for `container ls`. */
function topName(entry: CommandEntry): string | undefined {
  return pathsOf(entry).find((path) => path.length === 1)?.[0];
}

/** A noun's commands by their first name under it; aliases such as `container ps` are not listed. */
function commandsUnder({ commands }: Registry, noun: Noun): readonly Row[] {
  return commands
    .filter((entry) => !entry.hidden)
    .flatMap((entry) => {
      const path = pathsOf(entry).find((words) => words.length === 2 && words[0] === noun.name);
      return path === undefined ? [] : [{ name: path[1] ?? '', summary: entry.summary }];
    })
    .sort(byName);
}

function byName(a: Row, b: Row): number {
  return a.name < b.name ? -1 : 1;
}

function list(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const width = Math.max(NAME_WIDTH, ...rows.map((row) => row.name.length));
  return [`${title}:`, ...rows.map((row) => `  ${row.name.padEnd(width)} ${row.summary}`)].join('\n');
}

function paragraphs(...parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Two columns: flags with the type of their value, and help wrapped to `width`; sorted by long name, as pflag does. */
export function optionTable(specs: readonly OptionSpec[], width = DEFAULT_WIDTH): string {
  const rows = specs.filter((spec) => !spec.hidden).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const left = rows.map(flagColumn);
  const indent = Math.max(...left.map((text) => text.length)) + 3;
  return rows.map((spec, index) => optionRow(left[index] ?? '', spec, indent, width)).join('\n');
}

function flagColumn(spec: OptionSpec): string {
  const label = spec.short === undefined ? `      ${flagLabel(spec)}` : `  ${flagLabel(spec)}`;
  const value = spec.value ?? (spec.type === 'bool' ? '' : spec.type);
  return value === '' ? label : `${label} ${value}`;
}

function optionRow(left: string, spec: OptionSpec, indent: number, width: number): string {
  const text = `${spec.help}${defaultNote(spec)}`;
  const wrapped = text.split('\n').flatMap((line) => wrapLine(line, Math.max(24, width - 1 - indent)));
  return `${left.padEnd(indent)}${wrapped.join(`\n${' '.repeat(indent)}`)}`;
}

function defaultNote({ default: value, type }: OptionSpec): string {
  if (value === undefined || value === false || value === '') return '';
  return ` (default ${type === 'string' ? `"${value}"` : value})`;
}

/** Breaks a line at spaces; a word longer than the width stays whole. Runs of spaces inside a line are kept. */
function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\S)(?=\s)/)) {
    if (current !== '' && current.length + word.length > width) {
      lines.push(current);
      current = word.trimStart();
    } else current += word;
  }
  return [...lines, current];
}
