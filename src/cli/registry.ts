import type { Command, CommandEntry } from './command.ts';

/** A word under which commands are grouped: `healthctl container ls`. */
export interface Noun {
  readonly name: string;
  readonly summary: string;
}

export const nouns: readonly Noun[] = [
  { name: 'container', summary: 'Manage containers' },
  { name: 'healthcheck', summary: 'Run health checks' },
  { name: 'image', summary: 'Manage images' },
  { name: 'system', summary: 'Manage healthctl' },
];

/** Every command there is. Adding one is adding a line here and a file under commands/; nothing registers itself. */
export const commands: readonly CommandEntry[] = [
  {
    path: ['version'],
    aliases: [],
    summary: 'Show the versions of healthctl and of containerd',
    common: true,
    load: async () => (await import('./commands/system/version.ts')).version,
  },
];

/** What the words of a command line name. */
export type Target =
  | { readonly kind: 'root' }
  | { readonly kind: 'noun'; readonly noun: Noun }
  | {
      readonly kind: 'command';
      readonly entry: CommandEntry /** As the user wrote it. */;
      readonly path: readonly string[];
    };

/** A command with the words it was called by. */
export type CommandTarget = Extract<Target, { kind: 'command' }>;

/** The registry as functions take it, so that tests can bring their own. */
export interface Registry {
  readonly nouns: readonly Noun[];
  readonly commands: readonly CommandEntry[];
}

export const registry: Registry = { nouns, commands };

/** All the paths a command answers to, the one that help shows first. */
export function pathsOf(entry: CommandEntry): readonly (readonly string[])[] {
  return [entry.path, ...entry.aliases];
}

/** The command that answers to exactly these words, e.g. `['container', 'ls']`. */
export function findCommand({ commands }: Registry, path: readonly string[]): CommandTarget | undefined {
  const wanted = path.join(' ');
  const entry = commands.find((candidate) => pathsOf(candidate).some((words) => words.join(' ') === wanted));
  return entry === undefined ? undefined : { kind: 'command', entry, path };
}

/** The words that may follow a prefix: `[]` gives top-level commands and nouns, `['container']` that noun's commands. */
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
