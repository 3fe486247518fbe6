import { HealthctlError, messageOf } from '../lib/errors.ts';

export interface KeyValueFile {
  /** The name as the user gave it, for error texts. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** White space by Go's unicode.IsSpace, without line ends. */
const LEADING_SPACE = /^[\t\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/**
 * The lines of an `--env-file` in the form of `-e`: `#` begins a comment line, values are used unchanged (with quotes
 * and trailing spaces), `NAME` alone gets the caller's value and is skipped if there is none. Without `callersEnv`, as
 * for `--label-file`, lines without a value are skipped. Throws USAGE `invalid env file (NAME): …` (docker/cli
 * pkg/kvfile).
 */
export function parseEnvFile(
  { name, content }: KeyValueFile,
  callersEnv?: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  try {
    return splitLines(content).flatMap((line) => parseLine(line, callersEnv ?? {}));
  } catch (cause) {
    throw new HealthctlError('USAGE', `invalid env file (${name}): ${messageOf(cause)}`, { cause });
  }
}

/** Go's bufio.MaxScanTokenSize: a line must be shorter. */
const MAX_LINE_BYTES = 64 * 1024;

function parseLine(line: string, callersEnv: Readonly<Record<string, string | undefined>>): string[] {
  if (line.length * 3 >= MAX_LINE_BYTES && new TextEncoder().encode(line).length >= MAX_LINE_BYTES) {
    throw new Error('bufio.Scanner: token too long');
  }
  const text = line.replace(LEADING_SPACE, '');
  if (text === '' || text.startsWith('#')) return [];
  const [key = ''] = text.split('=', 1);
  if (key === '') throw new Error(`no variable name on line '${text}'`);
  if (/[ \t]/.test(key)) throw new Error(`variable '${key}' contains whitespaces`);
  if (text.includes('\0')) throw new Error(`variable '${key.replaceAll('\0', '')}' contains a NUL character`);
  if (text.includes('=')) return [text];
  const own = Object.hasOwn(callersEnv, key) ? callersEnv[key] : undefined;
  return own === undefined ? [] : [`${key}=${own}`];
}

function splitLines(content: Uint8Array): readonly string[] {
  return decode(content)
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** UTF-8 without its byte order mark. */
function decode(content: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(content);
  } catch {
    throw new Error(describeInvalidLine(content));
  }
}

function describeInvalidLine(content: Uint8Array): string {
  let start = 0;
  for (let line = 1; start <= content.length; line++) {
    const newline = content.indexOf(0x0a, start);
    const end = newline === -1 ? content.length : newline;
    const bytes = content.subarray(start, end);
    if (!isUtf8(bytes)) return `invalid utf8 bytes at line ${line}: [${bytes.join(' ')}]`;
    start = end + 1;
  }
  return 'invalid utf8 bytes';
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
