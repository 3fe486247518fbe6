import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wordsOfLine } from './shell-line.ts';

test.each<[line: string, words: readonly string[]]>([
  ['', ['']],
  ['healthctl', ['healthctl']],
  ['healthctl ', ['healthctl', '']],
  ['healthctl  ps\t-a', ['healthctl', 'ps', '-a']],
  ["run --name 'my web' ", ['run', '--name', 'my web', '']],
  ["run ''", ['run', '']],
  ['run "a \\"b\\" \\x', ['run', 'a "b" \\x']],
  ["run 'open quote", ['run', 'open quote']],
  ['run a\\ b', ['run', 'a b']],
  ['run a\\', ['run', 'a\\']],
  ['run --env=A="b c"d', ['run', '--env=A=b cd']],
  ['run $(touch x) `y` $HOME', ['run', '$(touch', 'x)', '`y`', '$HOME']],
])('%j', (line, words) => expect(wordsOfLine(line)).toEqual(words));

test('words in single quotes are read back, whatever they contain', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
      const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
      expect(wordsOfLine(`x ${line}`)).toEqual(words.length === 0 ? ['x', ''] : ['x', ...words]);
    }),
  );
});
