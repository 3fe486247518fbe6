/**
 * A key as the screen knows it: a character, or one of the names below, e.g. `up`, `ctrl-c`, `escape`. What was pasted is
 * one key, `paste:` with the text: letters of it are no commands.
 */
export type Key = string;
export const PASTE = 'paste:';

/** Sequences of xterm, of the Linux console, and of rxvt, after the escape character. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  ...{ '[A': 'up', '[B': 'down', '[C': 'right', '[D': 'left', OA: 'up', OB: 'down', OC: 'right', OD: 'left' },
  ...{ '[H': 'home', '[F': 'end', OH: 'home', OF: 'end', '[1~': 'home', '[4~': 'end', '[7~': 'home', '[8~': 'end' },
  ...{ '[5~': 'pageup', '[6~': 'pagedown', '[3~': 'delete', OM: 'enter' },
};
const CONTROLS: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
};
/** A whole sequence: CSI with its parameters, SS3, or Alt with a character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send them
const ESCAPED = /^\x1b(\[[0-?]*[ -/]*[@-~]|O[ -~]|[^[O\x1b])/u;
/** The beginning of one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send them
const UNFINISHED = /^\x1b(\[[0-?]*[ -/]*|O)?$/u;
/** No sequence that a terminal sends is longer. */
const MAX_SEQUENCE = 32;
/** Around what is pasted, once bracketed paste mode is on (xterm's 2004). */
const [PASTE_BEGINS, PASTE_ENDS] = ['\x1b[200~', '\x1b[201~'];
/** More is not worth waiting for. */
const MAX_PASTE = 65_536;

/**
 * The keys in what a terminal has sent. Pure.
 *
 * @returns rest: the beginning of a sequence whose other bytes may come later; see `flushKeys`
 */
export function keysIn(text: string): { readonly keys: readonly Key[]; readonly rest: string } {
  const keys: Key[] = [];
  let rest = text;
  while (rest !== '') {
    if (rest.startsWith(PASTE_BEGINS)) {
      const end = rest.indexOf(PASTE_ENDS);
      if (end < 0) return { keys, rest: shortPaste(rest) };
      keys.push(PASTE + rest.slice(PASTE_BEGINS.length, end));
      rest = rest.slice(end + PASTE_ENDS.length);
      continue;
    }
    const sequence = ESCAPED.exec(rest);
    if (sequence) {
      const key = SEQUENCES[withoutModifiers(sequence[1] ?? '')];
      if (key !== undefined) keys.push(key);
      rest = rest.slice(sequence[0].length);
      continue;
    }
    if (rest.startsWith('\x1b')) {
      if (UNFINISHED.test(rest) && rest.length <= MAX_SEQUENCE) return { keys, rest };
      keys.push('escape');
      rest = rest.slice(1);
      continue;
    }
    const [character = ''] = rest;
    keys.push(keyOf(character));
    rest = rest.slice(character.length);
  }
  return { keys, rest };
}

/** Its last characters may be the beginning of the mark at its end. */
function shortPaste(rest: string): string {
  if (rest.length <= MAX_PASTE) return rest;
  const tail = rest.slice(1 - PASTE_ENDS.length);
  return rest.slice(0, MAX_PASTE - tail.length) + tail;
}

/** The keys of a rest after which nothing came: an escape character alone is the key. What is pasted may take longer. */
export function flushKeys(rest: string): { readonly keys: readonly Key[]; readonly rest: string } {
  if (rest.startsWith(PASTE_BEGINS)) return { keys: [], rest };
  return { keys: rest === '\x1b' ? ['escape'] : [], rest: '' };
}

/** Shift, Alt or Ctrl with a named key are that key: `[1;5A` is `[A`, `[5;2~` is `[5~`. */
const withoutModifiers = (sequence: string): string =>
  sequence.replace(/^\[1;\d+(?=[A-Z])/, '[').replace(/;\d+~$/, '~');

function keyOf(character: string): Key {
  const control = CONTROLS[character];
  if (control !== undefined) return control;
  const code = character.charCodeAt(0);
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}
