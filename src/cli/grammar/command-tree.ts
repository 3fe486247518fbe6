import type { Command, CommandEntry } from '../command.ts';

/** A word under which commands are grouped: `healthctl container ls`. */
export interface Noun {
  readonly name: string;
  readonly summary: string;
  /** The command that the noun alone means: `healthctl daemon` is `healthctl daemon run`. Absent: its help. */
  readonly alone?: string;
}

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

/** A word of a command line, with what it means. */
export interface NamedSummary {
  readonly name: string;
  readonly summary: string;
}

/** The commands after some words, without hidden ones: `ps` after none, `ls` after `container`. */
export function commandsAfter({ commands }: Registry, prefix: readonly string[]): readonly NamedSummary[] {
  return commands
    .filter(({ hidden }) => !hidden)
    .flatMap((entry) =>
      pathsOf(entry)
        .filter((path) => path.length === prefix.length + 1 && prefix.every((word, index) => word === path[index]))
        .map((path) => ({ name: path.at(-1) ?? '', summary: entry.summary })),
    );
}

/**
 * The words that may follow a prefix: `[]` gives top-level commands and nouns, `['container']` that noun's commands.
 */
export function wordsAfter(registry: Registry, prefix: readonly string[]): readonly string[] {
  const nouns = prefix.length === 0 ? registry.nouns : [];
  return [...commandsAfter(registry, prefix), ...nouns].map(({ name }) => name);
}

/** Loads the module of a command. */
export function loadCommand(target: CommandTarget): Promise<Command> {
  return target.entry.load();
}
