import { HealthctlError } from '../lib/errors.ts';
import { isNativeType, parseNativeTest } from './native-test.ts';

/** Words that make an array a whole `Test` when it begins with one: compose files and `inspect` write it so. */
const TEST_WORDS: readonly string[] = ['CMD', 'CMD-SHELL', 'NONE'];

/** Docker's CLI answers 125 to what it refuses. */
const CLIENT_REFUSES = 125;

/** What only a shell understands: quotes, expansions, operators, globs. */
const SHELL_SYNTAX = /["'`$\\|&;<>(){}*]/;

/**
 * The `Test` that the text of `--health-cmd` asks for. Docker's command line knows only texts for the shell; arrays and the words
 * `CMD`, `CMD-SHELL` and `NONE` are the habits of Podman's command line and of compose files.
 *
 * `[ "$(cat /ready)" ]` is JSON, and a test of the shell. An array is what no shell can use: one without a blank after the bracket
 * (a shell would look for a program of that name), and one of several items (a comma is no operator of `[`).
 *
 * Throws INVALID.
 */
export function testFromCommand(text: string): readonly string[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) return testFromArray(trimmed) ?? ['CMD-SHELL', text];
  return testFromWords(trimmed) ?? ['CMD-SHELL', text];
}

function testFromArray(text: string): readonly string[] | undefined {
  const items = stringsFrom(text);
  if (!items) {
    if (!/^\[["']/.test(text)) return undefined;
    throw refuse(`--health-cmd begins like a JSON array, and is not one of strings: ${text}`, ARRAY_HINT);
  }
  const [first] = items;
  if (items.some((item) => item.includes('\0')))
    throw refuse(`--health-cmd has a NUL character, which no argument of a program can have: ${text}`);
  if (first === undefined) throw refuse('--health-cmd [] names no command', '--no-healthcheck switches a check off');
  const isWhole = TEST_WORDS.includes(first);
  if (/^\[\s/.test(text) && items.length === 1 && !isWhole) return undefined;
  if (isWhole) return items;
  if (isNativeType(first)) return nativeTestFrom(first, items);
  return ['CMD', ...items];
}

/** The items of a JSON array of strings, undefined for any other text. */
function stringsFrom(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As `inspect` shows a native check. */
function nativeTestFrom(type: 'HTTP' | 'TCP' | 'GRPC', items: readonly string[]): readonly string[] {
  const parsed = parseNativeTest(type, items.slice(1));
  if (parsed.kind === 'malformed') throw refuse(`--health-cmd ${JSON.stringify(items)}: ${parsed.reason}`);
  return items;
}

/** Podman's: `CMD-SHELL text`, `CMD program arguments`, `none`. Undefined for a text that begins with none of them. */
function testFromWords(text: string): readonly string[] | undefined {
  if (text === 'NONE' || text === 'none') return ['NONE'];
  const [, word = '', rest = ''] = /^(CMD|CMD-SHELL)(?:\s+(.*))?$/s.exec(text) ?? [];
  if (word === '') return undefined;
  if (rest === '') throw refuse(`--health-cmd ${word} names no command`);
  if (word === 'CMD-SHELL') return ['CMD-SHELL', rest];
  if (SHELL_SYNTAX.test(rest)) throw refuse(`--health-cmd ${text} needs a shell, which CMD does not use`, ARRAY_HINT);
  return ['CMD', ...rest.split(/\s+/)];
}

const ARRAY_HINT =
  'give the text alone to run it by /bin/sh -c, or a JSON array of strings, such as \'["pg_isready","-q"]\', to run it without a shell';

const refuse = (message: string, hint?: string): HealthctlError =>
  new HealthctlError('INVALID', message, { exitCode: CLIENT_REFUSES, ...(hint === undefined ? {} : { hint }) });
