import type { Command, Completion, GivenOptions, OptionSpec } from '../command.ts';
import { BOOLEAN } from '../flags/values.ts';
import {
  commandsAfter,
  findCommand,
  loadCommand,
  type NamedSummary,
  type Noun,
  pathsOf,
  type Registry,
} from '../grammar/command-tree.ts';
import { globalOptions, withHelp } from '../grammar/globals.ts';
import { type Candidate, optionCandidates } from './candidates.ts';

/** What may stand at the end of a line that is being written. */
export interface Spot {
  /** Commands or options. */
  readonly candidates: readonly Candidate[];
  /** What else fits. */
  readonly completion: Completion | undefined;
  /** The part of the last word that is matched. */
  readonly text: string;
  /** The part of the last word before it, e.g. `--network=`. */
  readonly before: string;
  /** Arguments of the command that are there already. */
  readonly taken: readonly string[];
  /** The global options that were given. */
  readonly globals: GivenOptions;
}

/**
 * Finds what may stand at the end of a line. The line may be wrong: an option that does not exist is passed over.
 *
 * @param words the words after `healthctl`, before the last
 * @param last the last word, up to the cursor; may be empty
 */
export async function findSpot(registry: Registry, words: readonly string[], last: string): Promise<Spot> {
  const walk = walkOptions(globalOptions, words, true);
  const rootSpot = spotOf({ walk, specs: withHelp(globalOptions), last, globals: walk.given });
  const [word, ...rest] = walk.args;
  if (word === undefined) {
    const rows = [...registry.nouns, ...commandsAfter(registry, []), HELP];
    return isAtOption(walk, last) ? rootSpot : { ...rootSpot, candidates: rootSpot.pending ? [] : candidatesOf(rows) };
  }
  const noun = registry.nouns.find(({ name }) => name === word);
  if (word === 'help')
    return { ...rootSpot, candidates: candidatesOf(helpTopics(registry, rest)), completion: undefined };
  if (noun) return underNoun(registry, noun, rest, { last, globals: walk.given });
  return inCommand(registry, [word], rest, { last, globals: walk.given });
}

const HELP = { name: 'help', summary: 'Help about a command' };

interface Line {
  readonly last: string;
  readonly globals: GivenOptions;
}

async function underNoun(registry: Registry, noun: Noun, words: readonly string[], line: Line): Promise<Spot> {
  const [word, ...rest] = words;
  const alone = noun.alone === undefined ? undefined : [noun.name, noun.alone];
  if (alone && (word?.startsWith('-') || (word === undefined && line.last.startsWith('-'))))
    return inCommand(registry, alone, words, line);
  if (word !== undefined) return inCommand(registry, [noun.name, word], rest, line);
  const candidates = line.last.startsWith('-')
    ? optionCandidates(withHelp([]), line.last)
    : candidatesOf(commandsAfter(registry, [noun.name]));
  return { candidates, completion: undefined, text: line.last, before: '', taken: [], globals: line.globals };
}

async function inCommand(
  registry: Registry,
  path: readonly string[],
  words: readonly string[],
  { last, globals }: Line,
): Promise<Spot> {
  const target = findCommand(registry, path);
  if (!target) return { candidates: [], completion: undefined, text: last, before: '', taken: [], globals };
  const command = await loadCommand(target);
  // A global option here is refused when the line is run, but what it says is meant.
  const misplaced = globalOptions.map(({ short: _short, aliases: _aliases, ...spec }) => spec);
  const known = [...withHelp(command.options), ...misplaced.filter(({ name }) => !isNamed(command.options, name))];
  const walk = walkOptions(known, words, command.optionsEndAtArgument === true);
  const given = new Map([
    ...globals,
    ...[...walk.given].filter(([name]) => misplaced.some((spec) => spec.name === name)),
  ]);
  const spot = spotOf({ walk, specs: withHelp(command.options), last, globals: given });
  if (spot.pending || isAtOption(walk, last)) return spot;
  return { ...spot, completion: argumentOf(command, walk), taken: walk.args };
}

const isNamed = (specs: readonly OptionSpec[], name: string): boolean => specs.some((spec) => spec.name === name);

function argumentOf(command: Command, { args, given }: Walk): Completion | undefined {
  const { complete = [], optionsEndAtArgument, args: count } = command;
  const all = typeof complete === 'function' ? complete(given) : complete;
  if (count.max !== undefined && args.length >= count.max) return undefined;
  return all[args.length] ?? (optionsEndAtArgument ? undefined : all.at(-1));
}

interface Walk {
  readonly given: GivenOptions;
  readonly args: readonly string[];
  /** The option whose value comes next. */
  readonly pending: OptionSpec | undefined;
  /** Whether options have ended: what follows are arguments, whatever it begins with. */
  readonly isEnded: boolean;
}

/** As parseArguments reads them, but without an error for what is wrong. */
function walkOptions(specs: readonly OptionSpec[], words: readonly string[], endAtArgument: boolean): Walk {
  const given = new Map<string, string[]>();
  const args: string[] = [];
  let pending: OptionSpec | undefined;
  for (const [index, word] of words.entries()) {
    if (pending) {
      add(given, pending.name, word);
      pending = undefined;
    } else if (word === '--' && !(endAtArgument && args.length > 0)) {
      return { given, args: [...args, ...words.slice(index + 1)], pending: undefined, isEnded: true };
    } else if (word.startsWith('-') && word !== '-') {
      pending = takeOption(specs, given, word);
    } else {
      args.push(word);
      if (endAtArgument) {
        return { given, args: [...args, ...words.slice(index + 1)], pending: undefined, isEnded: true };
      }
    }
  }
  return { given, args, pending, isEnded: false };
}

/** @returns the option if the next word is its value */
function takeOption(specs: readonly OptionSpec[], given: Map<string, string[]>, word: string): OptionSpec | undefined {
  if (word.startsWith('--')) {
    const { spec, value } = longOption(specs, word);
    if (!spec || (value === undefined && spec.type !== 'bool')) return spec;
    add(given, spec.name, value ?? 'true');
    return undefined;
  }
  for (const [at, letter] of [...word.slice(1)].entries()) {
    const spec = specs.find(({ short, aliases }) => short === letter || aliases?.includes(letter));
    const rest = word.slice(at + 2);
    if (spec?.type === 'bool') add(given, spec.name, 'true');
    else if (rest === '') return spec;
    else {
      if (spec) add(given, spec.name, rest.replace(/^=(?=.)/, ''));
      return undefined;
    }
  }
  return undefined;
}

function longOption(
  specs: readonly OptionSpec[],
  word: string,
): { readonly spec: OptionSpec | undefined; readonly value: string | undefined } {
  const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  const spec = specs.find((one) => one.name === name || (name.length > 1 && one.aliases?.includes(name)));
  return { spec, value };
}

function add(given: Map<string, string[]>, name: string, value: string): void {
  given.set(name, [...(given.get(name) ?? []), value]);
}

const isAtOption = ({ pending, isEnded }: Walk, last: string): boolean =>
  pending === undefined && !isEnded && last.startsWith('-');

interface SpotRequest {
  readonly walk: Walk;
  readonly specs: readonly OptionSpec[];
  readonly last: string;
  readonly globals: GivenOptions;
}

/** The last word as an option or as the value of one. */
function spotOf({ walk, specs, last, globals }: SpotRequest): Spot & { readonly pending: boolean } {
  const base = { candidates: [], completion: undefined, text: last, before: '', taken: [], globals };
  if (walk.pending) return { ...base, completion: completionOf(walk.pending), pending: true };
  if (!isAtOption(walk, last)) return { ...base, pending: false };
  const { spec, value } = longOption(specs, last);
  if (!spec || value === undefined) return { ...base, candidates: optionCandidates(specs, last), pending: false };
  const before = last.slice(0, last.length - value.length);
  return { ...base, completion: completionOf(spec), text: value, before, pending: false };
}

function completionOf({ complete, value, type }: OptionSpec): Completion | undefined {
  if (complete) return complete;
  if (type === 'bool') return BOOLEAN;
  if (value === 'file') return { paths: 'file' };
  return value === 'dir' ? { paths: 'directory' } : undefined;
}

function candidatesOf(rows: readonly NamedSummary[]): readonly Candidate[] {
  return rows.map(({ name, summary }) => ({ value: name, description: summary }));
}

function helpTopics(registry: Registry, words: readonly string[]): readonly NamedSummary[] {
  if (words.length === 0)
    return [
      ...registry.nouns,
      ...commandsAfter(registry, []),
      { name: '--all', summary: 'All commands and global options' },
    ];
  const isCommand = registry.commands.flatMap(pathsOf).some((path) => path.join(' ') === words.join(' '));
  return isCommand ? [] : commandsAfter(registry, words);
}
