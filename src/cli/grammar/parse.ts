import { parseDuration } from '../../go/duration.ts';
import { quote } from '../../go/quote.ts';
import { attempt, parseBool, parseInteger } from '../../go/values.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

/** The arguments of a command line and its parsed options. */
export interface ParsedArguments {
  readonly options: ParsedOptions;
  /** Positional arguments, in order. */
  readonly args: readonly string[];
}

type Value = string | boolean | number | bigint;
type Taken = Map<string, Value[]>;

/**
 * Parses the options in `argv` by the rules of Go's pflag, which Docker uses: clusters (`-dit`), attached values
 * (`-p443:443`, `--name=x`), a following word as the value whatever it begins with (`--memory-swap -1`), `--rm=false`,
 * `--` as the end of options.
 *
 * @param options.endAtArgument options end at the first positional argument (`run IMAGE cmd --flag`) Throws USAGE with
 *   pflag's texts, e.g. `unknown flag: --nope`.
 */
export function parseArguments(
  specs: readonly OptionSpec[],
  argv: readonly string[],
  options: { readonly endAtArgument?: boolean } = {},
): ParsedArguments {
  const names = indexNames(specs);
  const taken: Taken = new Map();
  const args: string[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    index += 1;
    if (word === '--') {
      args.push(...argv.slice(index));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      if (!options.endAtArgument) continue;
      args.push(...argv.slice(index));
      break;
    }
    const next = argv[index];
    const usedNext = word.startsWith('--')
      ? takeLong(names, taken, word, next)
      : takeCluster(names, taken, word.slice(1), next);
    if (usedNext) index += 1;
  }
  return { options: typedOptions(specs, taken), args };
}

function indexNames(specs: readonly OptionSpec[]): ReadonlyMap<string, OptionSpec> {
  const names = new Map<string, OptionSpec>();
  for (const spec of specs) {
    names.set(spec.name, spec);
    if (spec.short !== undefined) names.set(spec.short, spec);
    for (const alias of spec.aliases ?? []) names.set(alias, spec);
  }
  return names;
}

/** `--name`, `--name=value` or `--name value`. Returns whether the next word was the value. */
function takeLong(
  names: ReadonlyMap<string, OptionSpec>,
  taken: Taken,
  word: string,
  next: string | undefined,
): boolean {
  const body = word.slice(2);
  if (body.startsWith('-') || body.startsWith('=')) throw usage(`bad flag syntax: ${word}`);
  const equals = body.indexOf('=');
  const name = equals < 0 ? body : body.slice(0, equals);
  const spec = name.length > 1 ? names.get(name) : undefined;
  if (spec === undefined) throw new UnknownFlag(`unknown flag: --${name}`, { long: name });
  if (equals >= 0) return take(taken, spec, body.slice(equals + 1));
  if (spec.type === 'bool') return take(taken, spec, 'true');
  if (spec.whenBare !== undefined && (next === undefined || next.startsWith('-')))
    return take(taken, spec, spec.whenBare);
  if (next === undefined) throw usage(`flag needs an argument: --${name}`);
  take(taken, spec, next);
  return true;
}

/** `-d`, `-dit`, `-tvalue`, `-t=value` or `-t value`. Returns whether the next word was the value. */
function takeCluster(
  names: ReadonlyMap<string, OptionSpec>,
  taken: Taken,
  cluster: string,
  next: string | undefined,
): boolean {
  let rest = cluster;
  while (rest !== '') {
    const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    const after = rest.slice(letter.length);
    const spec = names.get(letter);
    if (spec === undefined) throw new UnknownFlag(`unknown shorthand flag: '${letter}' in -${rest}`, { letter });
    // A single `=` at the end is not an assignment: pflag takes `-n=` as the value `=`, and `-a=` as an unknown flag.
    if (after.length > 1 && after.startsWith('=')) return take(taken, spec, after.slice(1));
    if (spec.type !== 'bool') {
      if (after !== '') return take(taken, spec, after);
      if (next === undefined) throw usage(`flag needs an argument: '${letter}' in -${rest}`);
      take(taken, spec, next);
      return true;
    }
    take(taken, spec, 'true');
    rest = after;
  }
  return false;
}

function take(taken: Taken, spec: OptionSpec, text: string): false {
  const reading = attempt(() => read(spec, text));
  const refusal = 'refusal' in reading ? reading.refusal : spec.check?.(text);
  if (refusal !== undefined) throw usage(`invalid argument ${quote(text)} for "${flagLabel(spec)}" flag: ${refusal}`);
  if ('value' in reading) taken.set(spec.name, [...(taken.get(spec.name) ?? []), reading.value]);
  return false;
}

function read(spec: OptionSpec, text: string): Value {
  switch (spec.type) {
    case 'bool':
      return parseBool(text);
    case 'int':
      return parseInteger(text);
    case 'duration':
      return parseDuration(text);
    case 'string':
    case 'list':
      return text;
  }
}

/** A flag's name in errors and help: `--all` or `-a, --all`. */
export function flagLabel(spec: OptionSpec): string {
  return spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
}

function typedOptions(specs: readonly OptionSpec[], taken: Taken): ParsedOptions {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const last = (name: string, type: OptionSpec['type']): Value | undefined => {
    const spec = byName.get(name);
    if (spec?.type !== type) throw new TypeError(`option --${name} is not declared as ${type}`);
    return taken.get(name)?.at(-1) ?? (typeof spec.default === 'string' ? read(spec, spec.default) : spec.default);
  };
  return {
    bool: (name) => last(name, 'bool') === true,
    string: (name) => {
      const value = last(name, 'string');
      return typeof value === 'string' ? value : undefined;
    },
    int: (name) => {
      const value = last(name, 'int');
      return typeof value === 'number' ? value : undefined;
    },
    duration: (name) => {
      const value = last(name, 'duration');
      return typeof value === 'bigint' ? value : undefined;
    },
    list: (name) => {
      last(name, 'list');
      return (taken.get(name) ?? []).filter((value) => typeof value === 'string');
    },
    given: (name) => {
      if (!byName.has(name)) throw new TypeError(`option --${name} is not declared`);
      return taken.has(name);
    },
  };
}

/** An option that the command does not have. */
export class UnknownFlag extends HealthctlError {
  readonly flag: { readonly long: string } | { readonly letter: string };
  constructor(message: string, flag: UnknownFlag['flag']) {
    super('USAGE', message);
    this.flag = flag;
  }
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
