import type { GoFunction } from './call.ts';
import { ExecFailure } from './failure.ts';
import { toJson } from './json.ts';
import { isAscii } from './unicode.ts';
import { type GoValue, intOf, isSlice } from './value.ts';

const MAX_PAD = 1_000_000n;

const onString = (apply: (text: string) => string): GoFunction => ({
  params: ['string'],
  call: ([text]) => apply(String(text)),
});

/** Docker's additions to Go's functions (docker/cli templates/templates.go). */
export const dockerFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['json', { params: ['any'], call: ([value]) => toJson(value) }],
  ['split', { params: ['string', 'string'], call: ([text, separator]) => splitText(String(text), String(separator)) }],
  [
    'join',
    {
      params: ['strings', 'string'],
      call: ([items, separator]) => (isSlice(items) ? items.join(String(separator)) : ''),
    },
  ],
  ['title', onString(titleCase)],
  ['lower', onString((text) => text.toLowerCase())],
  ['upper', onString((text) => text.toUpperCase())],
  [
    'pad',
    {
      params: ['string', 'int', 'int'],
      call: ([text, before, after]) => padText(String(text), intOf(before), intOf(after)),
    },
  ],
  ['truncate', { params: ['string', 'int'], call: ([text, length]) => truncate(String(text), intOf(length)) }],
]);

/** For a table's header: functions change the values of a column, not its name. */
export const headerFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>(
  (
    [
      ['json', 0],
      ['split', 1],
      ['join', 1],
      ['title', 0],
      ['lower', 0],
      ['upper', 0],
      ['truncate', 1],
    ] as const
  ).map(([name, extra]) => [
    name,
    {
      params: ['string', ...(extra === 1 ? [name === 'truncate' ? ('int' as const) : ('string' as const)] : [])],
      call: ([text]: readonly GoValue[]) => text,
    },
  ]),
);

function splitText(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

/**
 * Go's strings.Title: capitalises letters after anything but a letter, a digit or an underscore; beyond ASCII only
 * spaces separate words.
 */
function titleCase(text: string): string {
  let previous = ' ';
  return Array.from(text, (character) => {
    const starts = isAscii(previous) ? !/\w/.test(previous) : /\s/.test(previous);
    previous = character;
    return starts ? character.toUpperCase() : character;
  }).join('');
}

function padText(text: string, before: bigint, after: bigint): string {
  if (text === '') return text;
  for (const count of [before, after]) {
    if (count < 0n) throw new ExecFailure('strings: negative Repeat count');
    if (count > MAX_PAD) throw new ExecFailure(`cannot pad by ${count}`);
  }
  return ' '.repeat(Number(before)) + text + ' '.repeat(Number(after));
}

/** Cuts to a number of bytes. */
function truncate(text: string, length: bigint): string {
  const bytes = Buffer.from(text);
  if (bytes.length < length) return text;
  if (length < 0n) throw new ExecFailure(`runtime error: slice bounds out of range [:${length}]`);
  return bytes.subarray(0, Number(length)).toString();
}
