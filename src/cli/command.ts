import type { World } from '../world.ts';

/**
 * Things with names on this host. Containers by state: `running` without the paused ones, `up` with them, `stopped` not
 * started or ended, `container` all. `variable`: names of environment variables.
 */
export type NameKind =
  | 'container'
  | 'running'
  | 'up'
  | 'paused'
  | 'stopped'
  | 'image'
  | 'network'
  | 'volume'
  | 'namespace'
  | 'variable';

/** What the completion of shells offers for a value or an argument. */
export interface Completion {
  /** The words of an enumeration. One that ends with `=`, `:` or `,` begins a value. */
  readonly words?: readonly string[];
  readonly names?: readonly NameKind[];
  /** Beside words and names, paths are offered for a text that begins like one. */
  readonly paths?: 'file' | 'directory';
  /** Beginnings of a value, each with what may follow, e.g. `{ 'status=': { words: ['exited'] } }`. */
  readonly after?: Readonly<Record<string, Completion>>;
}

/** The options given so far on a line that is being written: all values by name, `true` for bool. */
export type GivenOptions = ReadonlyMap<string, readonly string[]>;

/** One option of a command. Names and help texts are Docker's where Docker has the option. */
export interface OptionSpec {
  /** Long name without dashes, e.g. `health-cmd`. */
  readonly name: string;
  /** One letter, e.g. `d`. */
  readonly short?: string;
  /** Other names, long or one letter, that are accepted but not shown in help, e.g. `['H', 'host']`. */
  readonly aliases?: readonly string[];
  /**
   * `bool`: `--x`, `--x=false`. `string`: the last one wins. `list`: repeatable. `int`: as Go's strconv. `duration`: Go
   * syntax, in nanoseconds as bigint.
   */
  readonly type: 'bool' | 'string' | 'list' | 'int' | 'duration';
  /** What help shows for the value, e.g. `string`, `list`, `bytes`; absent for bool. */
  readonly value?: string;
  /** Help text. */
  readonly help: string;
  /** Shown in help as `(default …)`. The parser applies it too; a duration is written as text, e.g. `10s`. */
  readonly default?: string | number | boolean;
  /**
   * The value of a long option without one, at the end of the line or before another option: `--docker-socket`. Such an
   * option belongs to a command without arguments.
   */
  readonly whenBare?: string;
  /** Accepted, not shown in help. */
  readonly hidden?: boolean;
  /**
   * Returns why a value is refused, or undefined. Becomes `invalid argument "xx" for "-m, --memory" flag: <reason>`,
   * exit 125.
   */
  check?(value: string): string | undefined;
  /** What completion offers for its value. If absent, `value` decides: paths for `file` and `dir`. */
  readonly complete?: Completion;
}

/**
 * The parsed command line: typed access by option name. A name that the command did not declare is a programming error
 * and throws.
 */
export interface ParsedOptions {
  bool(name: string): boolean;
  string(name: string): string | undefined;
  list(name: string): readonly string[];
  int(name: string): number | undefined;
  /** Nanoseconds. */
  duration(name: string): bigint | undefined;
  /** Whether the user gave it, whatever the value. */
  given(name: string): boolean;
}

export interface CommandInput {
  readonly options: ParsedOptions;
  readonly args: readonly string[];
}

/** The result of a command: render.ts prints it, and main.ts exits with its status. */
export interface CommandResult {
  /** Printed to stdout unchanged, so it contains its last newline. */
  readonly stdout?: string;
  /** Printed to stderr after stdout, each a line that begins with `WARNING: `. */
  readonly warnings?: readonly string[];
  /**
   * Printed to stderr, one after another, after stdout. With errors and no exitCode the command exits with the first
   * one's status.
   */
  readonly errors?: readonly Error[];
  readonly exitCode?: number;
}

/** A command: one file, one record. `run` parses nothing and prints nothing. */
export interface Command {
  /** What follows the command's name in usage, e.g. `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  /** Shown in help instead of the registry's summary. */
  readonly description?: string;
  readonly options: readonly OptionSpec[];
  /** How many positional arguments are allowed. */
  readonly args: { readonly min: number; readonly max?: number };
  /**
   * What completion offers for each argument; the last entry is for all that follow, unless options end at the first
   * argument.
   */
  readonly complete?: readonly Completion[] | ((given: GivenOptions) => readonly Completion[]);
  /** Options end at the first positional argument: `run IMAGE cmd --flag` passes `--flag` on. */
  readonly optionsEndAtArgument?: boolean;
  /**
   * All words are arguments, options too: they are for another program. Only `--help` as the first of them is ours.
   */
  readonly passesOptions?: boolean;
  /**
   * Exit status when the command itself fails: 125 for `run`, default 1 (also for `create`, as Docker).
   * A USAGE error ends with 125 in every command; an error's own exitCode overrides both.
   */
  readonly failureCode?: number;
  run(world: World, input: CommandInput): Promise<CommandResult>;
}

/** A line of the registry: all that help needs, without loading the command. */
export interface CommandEntry {
  /** The path that help shows, e.g. `['container', 'ls']`. */
  readonly path: readonly string[];
  /** Other paths that mean the same, e.g. `[['ps'], ['container', 'ps']]`. */
  readonly aliases: readonly (readonly string[])[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Listed among the common commands of `healthctl --help`, in the order of the registry. */
  readonly common?: boolean;
  /** Works, but is not listed. */
  readonly hidden?: boolean;
  load(): Promise<Command>;
}
