import { HealthctlError } from '../lib/errors.ts';
import { isNativeType, parseNativeTest } from './native-test.ts';

/** First words that make an array a complete `Test`: compose files and `inspect` write it in this form. */
const TEST_WORDS: readonly string[] = ['CMD', 'CMD-SHELL', 'NONE'];

/** Docker's CLI exits with 125 for a value that it refuses. */
const CLIENT_REFUSES = 125;

/** Syntax that only a shell understands: quotes, expansions, operators, globs. */
const SHELL_SYNTAX = /["'`$\\|&;<>(){}*]/;

/**
 * The `Test` for the text of `--health-cmd`. Docker's command line knows only texts for the shell; arrays and the words
 * `CMD`, `CMD-SHELL` and `NONE` come from Podman's command line and from compose files.
 *
 * `[ "$(cat /ready)" ]` is both valid JSON and a shell test. Only a text that no shell can use counts as an array: one
 * without a blank after the bracket (a shell would look for a program of that name), or one of several items (a comma
 * is no operator of `[`).
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

/** The items of a JSON array of strings; undefined for any other text. */
function stringsFrom(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The test in the form in which `inspect` shows a native check. */
function nativeTestFrom(type: 'HTTP' | 'TCP' | 'GRPC', items: readonly string[]): readonly string[] {
  const parsed = parseNativeTest(type, items.slice(1));
  if (parsed.kind === 'malformed') throw refuse(`--health-cmd ${JSON.stringify(items)}: ${parsed.reason}`);
  return items;
}

/** Podman's forms: `CMD-SHELL text`, `CMD program arguments`, `none`. Undefined for any other text. */
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
