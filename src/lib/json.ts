import { HealthctlError, messageOf } from './errors.ts';

/**
 * Precedes every string that represents another value while JSON.parse runs: a private-use character that occurs in no
 * legal text.
 */
const MARK = '\uE0F1';
// Only for a text that is JSON: on others the time grows with a power of its length.
const STRINGS_AND_LONG_INTEGERS = /("[^"\\]*(?:\\[\s\S][^"\\]*)*")(\s*:)?|(?<![\d.eE+])(-?\d{16,})(?![\d.eE])/g;

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a bigint. Go writes such numbers, e.g.
 * 18446744073709551615 for an unlimited rlimit. Throws CORRUPT with JSON.parse's reason.
 */
export function decodeJson(text: string): unknown {
  try {
    const rounded: unknown = JSON.parse(text);
    return /\d{16}/.test(text) ? decodeLongIntegers(text) : rounded;
  } catch (cause) {
    throw new HealthctlError('CORRUPT', `not JSON: ${messageOf(cause)}`, { cause });
  }
}

function decodeLongIntegers(text: string): unknown {
  const marked = text.replace(
    STRINGS_AND_LONG_INTEGERS,
    (all: string, string?: string, colon?: string, integer?: string) => {
      if (integer !== undefined) return `"${MARK}i${integer}"`;
      const isOurs = string !== undefined && colon === undefined && startsWithMark(string);
      return isOurs ? `"${MARK}s${string.slice(1)}` : all;
    },
  );
  return restored(JSON.parse(marked));
}

/** Replaces the marked strings in a value. Without recursion: a document may be nested deeper than the stack is. */
function restored(value: unknown): unknown {
  const root: Container = [value];
  const left: Container[] = [root];
  for (let container = left.pop(); container; container = left.pop())
    for (const [key, member] of Object.entries(container)) {
      if (typeof member === 'string' && member.startsWith(MARK))
        Object.defineProperty(container, key, { ...PLAIN, value: integerOf(member) });
      else if (typeof member === 'object' && member !== null) left.push(member as Container);
    }
  return root[0];
}

type Container = Record<string, unknown> | unknown[];
/** An assignment would treat `__proto__` in another way. */
const PLAIN = { writable: true, enumerable: true, configurable: true };

/** What a marked string stands for. */
function integerOf(marked: string): unknown {
  if (marked[1] === 's') return marked.slice(2);
  const integer = BigInt(marked.slice(2));
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function startsWithMark(quoted: string): boolean {
  return quoted[1] === MARK || /^"\\u[eE]0[fF]1/.test(quoted);
}

/**
 * Writes JSON, and a bigint as an integer. It omits what JSON.stringify omits (undefined, functions). Without recursion,
 * like decodeJson.
 */
export function encodeJson(value: unknown): string {
  let text = '';
  const open: OpenContainer[] = [];
  const write = (one: unknown): void => {
    if (typeof one === 'bigint') text += one;
    else if (typeof one !== 'object' || one === null) text += JSON.stringify(one) ?? 'null';
    else {
      const container = openContainer(one);
      text += container.keys ? '{' : '[';
      open.push(container);
    }
  };
  write(value);
  for (let last = open.at(-1); last; last = open.at(-1)) {
    const { container, keys, length, at } = last;
    if (at === length) {
      text += keys ? '}' : ']';
      open.pop();
      continue;
    }
    last.at += 1;
    if (at > 0) text += ',';
    if (keys) text += `${JSON.stringify(keys[at])}:`;
    write(Reflect.get(container, keys?.[at] ?? at));
  }
  return text;
}

/** An array or object whose members from `at` on are still to be written. */
interface OpenContainer {
  readonly container: object;
  /** Undefined of an array. */
  readonly keys: readonly string[] | undefined;
  readonly length: number;
  at: number;
}

function openContainer(container: object): OpenContainer {
  if (Array.isArray(container)) return { container, keys: undefined, length: container.length, at: 0 };
  const keys = Object.keys(container).filter((key) => isWritten(Reflect.get(container, key)));
  return { container, keys, length: keys.length, at: 0 };
}

const isWritten = (member: unknown): boolean =>
  member !== undefined && typeof member !== 'function' && typeof member !== 'symbol';
