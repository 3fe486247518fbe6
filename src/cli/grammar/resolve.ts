import { HealthctlError } from '../../lib/errors.ts';
import type { Command, CommandInput, OptionSpec } from '../command.ts';
import { adviceForOption } from '../docker-only.ts';
import { type CommandTarget, findCommand, loadCommand, type Registry, type Target } from './command-tree.ts';
import { type GlobalFlags, globalFlagsFrom, globalOptions, withHelp } from './globals.ts';
import { type ParsedArguments, parseArguments, UnknownFlag } from './parse.ts';
import { checkArgumentCount, flagError, unknownCommand, unknownTopic } from './usage.ts';

/** The request of a command line. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly target: Target }
  | {
      readonly kind: 'run';
      readonly globals: GlobalFlags;
      readonly target: CommandTarget;
      readonly command: Command;
      readonly input: CommandInput;
    };

const ROOT: Target = { kind: 'root' };

/**
 * Parses a whole command line (without node and script). Loads only the command that it names. Throws USAGE, ready to
 * print.
 */
export async function resolveRequest(registry: Registry, argv: readonly string[]): Promise<Request> {
  const { options, args } = parseFlags({
    specs: globalOptions,
    argv,
    path: [],
    usage: '[OPTIONS] COMMAND [ARG...]',
    endAtArgument: true,
  });
  if (options.bool('help')) return { kind: 'help', target: ROOT };
  if (options.bool('version')) return { kind: 'version' };
  const [word, ...rest] = args;
  if (word === undefined) return { kind: 'help', target: ROOT };
  if (word === 'help') return { kind: 'help', target: helpTarget(registry, rest) };

  const globals = globalFlagsFrom(options);
  const noun = registry.nouns.find((candidate) => candidate.name === word);
  if (noun !== undefined) return resolveUnderNoun(registry, { kind: 'noun', noun }, globals, rest);
  const target = findCommand(registry, [word]);
  if (target === undefined) throw unknownCommand(registry, { kind: 'root' }, word);
  return resolveCommand(target, globals, rest);
}

async function resolveUnderNoun(
  registry: Registry,
  parent: Extract<Target, { kind: 'noun' }>,
  globals: GlobalFlags,
  argv: readonly string[],
): Promise<Request> {
  const path = [parent.noun.name];
  const alone = parent.noun.alone === undefined ? undefined : findCommand(registry, [...path, parent.noun.alone]);
  const [first = ''] = argv;
  if (alone && first.startsWith('-') && first !== '-h' && first !== '--help')
    return resolveCommand(alone, globals, argv);
  const { options, args } = parseFlags({ specs: [], argv, path, usage: 'COMMAND', endAtArgument: true });
  const [word, ...rest] = args;
  const name = word ?? parent.noun.alone;
  if (options.bool('help') || name === undefined) return { kind: 'help', target: parent };
  const target = findCommand(registry, [...path, name]);
  if (target === undefined) throw unknownCommand(registry, parent, name);
  return resolveCommand(target, globals, rest);
}

async function resolveCommand(target: CommandTarget, globals: GlobalFlags, argv: readonly string[]): Promise<Request> {
  const command = await loadCommand(target);
  const { usage, optionsEndAtArgument: endAtArgument = false } = command;
  const { path, entry } = target;
  const isHelp = argv[0] === '-h' || argv[0] === '--help';
  if (command.passesOptions && !isHelp) {
    const input = { options: parseArguments(command.options, []).options, args: argv };
    return { kind: 'run', globals, target, command, input };
  }
  const input = parseFlags({ specs: command.options, argv, path, command: entry.path, usage, endAtArgument });
  if (input.options.bool('help')) return { kind: 'help', target };
  checkArgumentCount(command, target.path, input.args.length);
  return { kind: 'run', globals, target, command, input };
}

function helpTarget(registry: Registry, words: readonly string[]): Target {
  if (words.length === 0) return ROOT;
  if (words.length === 1 && (words[0] === '--all' || words[0] === '-a')) return { kind: 'root', isWhole: true };
  const noun = words.length === 1 ? registry.nouns.find((candidate) => candidate.name === words[0]) : undefined;
  if (noun !== undefined) return { kind: 'noun', noun };
  const target = findCommand(registry, words);
  if (target === undefined) throw unknownTopic(words);
  return target;
}

interface Level {
  readonly specs: readonly OptionSpec[];
  readonly argv: readonly string[];
  readonly path: readonly string[];
  /** The command's path in the registry; absent where no command is known yet. */
  readonly command?: readonly string[];
  readonly usage: string;
  readonly endAtArgument: boolean;
}

/** The options of one level, with `--help`, and errors that show the level's usage. */
function parseFlags({ specs, argv, path, command, usage, endAtArgument }: Level): ParsedArguments {
  try {
    return parseArguments(withHelp(specs), argv, { endAtArgument });
  } catch (error) {
    throw flagError(hintAtUnknown(error, path, command), path, usage);
  }
}

/** An unknown flag may be a Docker flag that healthctl lacks, or a misplaced global option. */
function hintAtUnknown(error: unknown, path: readonly string[], command: readonly string[] = []): unknown {
  if (!(error instanceof UnknownFlag)) return error;
  const { flag } = error;
  const name = 'long' in flag ? flag.long : flag.letter;
  if (name === '') return error;
  const isGlobal = path.length > 0 && 'long' in flag && globalOptions.some((spec) => spec.name === flag.long);
  const hint = isGlobal ? `--${name} is a global option: put it before the command` : adviceForOption(command, name);
  return hint === undefined ? error : new HealthctlError('USAGE', error.message, { hint, cause: error });
}
