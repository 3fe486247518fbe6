import { HealthctlError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';
import { adviceForCommand } from '../docker-only.ts';
import { type Registry, type Target, wordsAfter } from './command-tree.ts';
import { suggestionsFor } from './suggest.ts';

/** Docker's exit status for a wrong flag (docker/cli, cli/cobra.go, FlagErrorFunc). */
const FLAG_ERROR = 125;

/** `healthctl`, or with the words of a command behind it. */
export function commandLine(path: readonly string[]): string {
  return ['healthctl', ...path].join(' ');
}

/** What `Usage:` says in help and errors, e.g. `healthctl ps [OPTIONS]`. */
export function usageLine(path: readonly string[], usage: string): string {
  return usage === '' ? commandLine(path) : `${commandLine(path)} ${usage}`;
}

/** A flag error with usage and the way to help, as Docker prints it; exit 125. Other errors are passed on. */
export function flagError(error: unknown, path: readonly string[], usage: string): unknown {
  if (!(error instanceof HealthctlError) || error.code !== 'USAGE') return error;
  const hint = lines(error.hint, '', `Usage:  ${usageLine(path, usage)}`, '', helpLine(path));
  return new HealthctlError('USAGE', error.message, { hint, exitCode: error.exitCode ?? FLAG_ERROR, cause: error });
}

/** A USAGE error of a command's own checks, with the way to help behind it; exit 125. Other errors are passed on. */
export function optionError(error: unknown, path: readonly string[]): unknown {
  if (!(error instanceof HealthctlError) || error.code !== 'USAGE') return error;
  const hint = lines(error.hint, '', helpLine(path));
  return new HealthctlError('USAGE', error.message, { hint, exitCode: error.exitCode ?? FLAG_ERROR, cause: error });
}

/** Throws USAGE with Docker's texts (docker/cli, cli/required.go) unless the number of arguments is valid; exit 1. */
export function checkArgumentCount(
  command: Pick<Command, 'args' | 'usage'>,
  path: readonly string[],
  count: number,
): void {
  const { min, max } = command.args;
  if (count >= min && (max === undefined || count <= max)) return;
  // Docker says "See" for a minimum, and "Run" everywhere else.
  const verb = count < min && max === undefined ? 'See' : 'Run';
  const hint = lines(undefined, '', `Usage:  ${usageLine(path, command.usage)}`, '', helpLine(path, verb));
  throw new HealthctlError('USAGE', `'${commandLine(path)}' ${requirement(min, max)}`, { hint, exitCode: 1 });
}

function requirement(min: number, max: number | undefined): string {
  if (max === 0) return 'accepts no arguments';
  if (max === undefined) return `requires at least ${min} ${plural(min)}`;
  if (min === max) return `requires ${min} ${plural(min)}`;
  if (min === 0) return `requires at most ${max} ${plural(max)}`;
  return `requires at least ${min} and at most ${max} ${plural(max)}`;
}

function plural(count: number): string {
  return count === 1 ? 'argument' : 'arguments';
}

/**
 * The error for an unknown command, with suggestions, or the alternative to a command of Docker's; exit 1, as in
 * Docker.
 */
export function unknownCommand(
  registry: Registry,
  parent: Exclude<Target, { kind: 'command' }>,
  word: string,
): HealthctlError {
  const prefix = parent.kind === 'noun' ? [parent.noun.name] : [];
  const path = [...prefix, word];
  const advice = adviceForCommand(path);
  const similar = advice === undefined ? suggestionsFor(word, wordsAfter(registry, prefix)) : [];
  const meant = similar.map((name) => `'${commandLine([...prefix, name])}'`);
  const usage = parent.kind === 'noun' ? [`Usage:  ${usageLine(prefix, 'COMMAND')}`, ''] : [];
  const hint = lines(
    advice ?? (meant.length > 0 ? `Did you mean ${meant.join(' or ')}?` : undefined),
    '',
    ...usage,
    helpLine(prefix),
  );
  return new HealthctlError('USAGE', `unknown command: ${commandLine(path)}`, { hint, exitCode: 1 });
}

/** The error for unknown words after `help`; exit 1. */
export function unknownTopic(words: readonly string[]): HealthctlError {
  return new HealthctlError('USAGE', `unknown help topic: ${words.join(' ')}`, {
    hint: lines(adviceForCommand(words), '', helpLine([])),
    exitCode: 1,
  });
}

/** The exit status of an error: its own, else 125 for wrong usage, else the command's. */
export function exitCodeOf(error: unknown, failureCode: number): number {
  if (!(error instanceof HealthctlError)) return failureCode;
  return error.exitCode ?? (error.code === 'USAGE' ? FLAG_ERROR : failureCode);
}

function helpLine(path: readonly string[], verb: 'Run' | 'See' = 'Run'): string {
  return `${verb} '${commandLine(path)} --help' for more information`;
}

function lines(first: string | undefined, ...rest: readonly string[]): string {
  return (first === undefined ? rest : [first, ...rest]).join('\n');
}
