import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flushKeys, keysIn } from './keys.ts';

test.each([
  ['characters', 'qjé語', ['q', 'j', 'é', '語']],
  ['arrows, in both modes of the keypad', '\x1b[A\x1bOB\x1b[C\x1bOD', ['up', 'down', 'right', 'left']],
  ['pages and ends', '\x1b[5~\x1b[6~\x1b[H\x1bOF\x1b[1~\x1b[4~', ['pageup', 'pagedown', 'home', 'end', 'home', 'end']],
  ['with Shift, Alt or Ctrl', '\x1b[1;5A\x1b[5;2~', ['up', 'pageup']],
  [
    'controls',
    '\r\n\t\x7f\b\x03\x1a\x0c',
    ['enter', 'enter', 'tab', 'backspace', 'backspace', 'ctrl-c', 'ctrl-z', 'ctrl-l'],
  ],
  ['escape before another key sequence', '\x1b\x1b[A', ['escape', 'up']],
  ['sequences that nobody knows, and Alt with a letter: nothing', '\x1b[?1;2c\x1b[17~\x1bx', []],
])('%s', (_, text, keys) => {
  expect(keysIn(text)).toEqual({ keys, rest: '' });
});

test('a sequence in two parts is one key; an escape character after which nothing comes is the key', () => {
  const first = keysIn('j\x1b[');
  expect(first).toEqual({ keys: ['j'], rest: '\x1b[' });
  expect(keysIn(`${first.rest}B`)).toEqual({ keys: ['down'], rest: '' });
  expect(keysIn('\x1b')).toEqual({ keys: [], rest: '\x1b' });
  expect(flushKeys('\x1b')).toEqual({ keys: ['escape'], rest: '' });
  expect(flushKeys('\x1b[')).toEqual({ keys: [], rest: '' });
});

test('what is pasted is one key, also in parts: its letters are no commands', () => {
  const first = keysIn('\x1b[200~try');
  expect(first.keys).toEqual([]);
  expect(flushKeys(first.rest)).toEqual({ keys: [], rest: first.rest });
  expect(keysIn(`${first.rest} it\x1b[201~q`)).toEqual({ keys: ['paste:try it', 'q'], rest: '' });
});

test('the end of a paste is found in any two parts, also of one that is too long', () => {
  const end = '\x1b[201~';
  for (let cut = 0; cut <= end.length; cut += 1) {
    const first = keysIn(`\x1b[200~${'x'.repeat(70_000)}${end.slice(0, cut)}`);
    const second = keysIn(`${first.rest}${end.slice(cut)}q`);
    expect([first.rest.length <= 65_536, [...first.keys, ...second.keys].at(-1), second.rest]).toEqual([true, 'q', '']);
  }
});

test('never fails, never waits for more than a bounded rest, and finds the same in any parts', () => {
  const input = fc.string({ unit: fc.constantFrom('\x1b', '[', 'O', 'A', '1', ';', '~', 'q', '\x03', '語') });
  fc.assert(
    fc.property(input, input, (one, other) => {
      const first = keysIn(one);
      const second = keysIn(first.rest + other);
      const whole = keysIn(one + other);
      expect([...first.keys, ...second.keys]).toEqual(whole.keys);
      expect(second.rest).toBe(whole.rest);
      expect(whole.rest.length).toBeLessThanOrEqual(65_536);
    }),
  );
});
