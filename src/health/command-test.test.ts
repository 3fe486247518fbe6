import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testFromCommand } from './command-test.ts';

const refused = (message: string) => expect.objectContaining({ code: 'INVALID', message, exitCode: 125 });

describe('testFromCommand', () => {
  test.each<[string, readonly string[]]>([
    ['true', ['CMD-SHELL', 'true']],
    ['["pg_isready","-q"]', ['CMD', 'pg_isready', '-q']],
    ['["true"]', ['CMD', 'true']],
    [' \n["pg_isready", "-q"]\n', ['CMD', 'pg_isready', '-q']],
    ['[ "pg_isready", "-q" ]', ['CMD', 'pg_isready', '-q']],
    ['["CMD","true"]', ['CMD', 'true']],
    ['["CMD-SHELL","exit 0"]', ['CMD-SHELL', 'exit 0']],
    ['["CMD-SHELL","exit $0","3"]', ['CMD-SHELL', 'exit $0', '3']],
    ['[ "CMD-SHELL", "exit 0" ]', ['CMD-SHELL', 'exit 0']],
    ['["NONE"]', ['NONE']],
    ['[ "NONE" ]', ['NONE']],
    ['["CMD"]', ['CMD']],
    ['["cmd","true"]', ['CMD', 'cmd', 'true']],
    ['["TCP","localhost:80"]', ['TCP', 'localhost:80']],
    ['CMD-SHELL true', ['CMD-SHELL', 'true']],
    ['CMD-SHELL  test \'[\' = "[" || exit 1', ['CMD-SHELL', 'test \'[\' = "[" || exit 1']],
    ['CMD curl  -f http://localhost/?a=b', ['CMD', 'curl', '-f', 'http://localhost/?a=b']],
    ['NONE', ['NONE']],
    ['none', ['NONE']],
    ['CMDS run', ['CMD-SHELL', 'CMDS run']],
    ['none of this', ['CMD-SHELL', 'none of this']],
  ])('reads %j as %j', (text, expected) => {
    expect(testFromCommand(text)).toEqual(expected);
  });

  test.each([
    '[ -f /ready ]',
    '[ "$(cat /ready)" ]',
    '[\t"$(cat /ready)" ]',
    '[ "`cat /ready`" ]',
    '[ "$A" ]',
    '[ "true" ]',
    '[ "" ]',
    '[ "$A" = "b" ]',
    '[ "$A", = "b," ]',
    '[[ -f /ready ]]',
    '[ "$(cat /ready)" ] && [ -f /x ]',
    '[1]',
    'echo ["a"]',
  ])('reads %j as a text for the shell', (text) => {
    expect(testFromCommand(text)).toEqual(['CMD-SHELL', text]);
  });

  test.each([
    ['["a\\u0000b"]', '--health-cmd has a NUL character, which no argument of a program can have: ["a\\u0000b"]'],
    ['[]', '--health-cmd [] names no command'],
    [' [ ] ', '--health-cmd [] names no command'],
    ['["true",]', '--health-cmd begins like a JSON array, and is not one of strings: ["true",]'],
    ['["a",1]', '--health-cmd begins like a JSON array, and is not one of strings: ["a",1]'],
    ["['CMD','true']", "--health-cmd begins like a JSON array, and is not one of strings: ['CMD','true']"],
    ['["TCP","nothing"]', expect.stringMatching(/^--health-cmd \["TCP","nothing"\]: /)],
    ['CMD', '--health-cmd CMD names no command'],
    ['CMD-SHELL ', '--health-cmd CMD-SHELL names no command'],
    ['CMD sh -c "exit 0"', '--health-cmd CMD sh -c "exit 0" needs a shell, which CMD does not use'],
  ])('refuses %j', (text, message) => {
    expect(() => testFromCommand(text)).toThrow(refused(message as string));
  });

  const words = fc.array(fc.string(), { minLength: 1, maxLength: 5 });

  test('reads every JSON array as an array, whatever its items', () => {
    fc.assert(
      fc.property(words, (items) => {
        fc.pre(!['CMD', 'CMD-SHELL', 'NONE', 'HTTP', 'TCP', 'GRPC'].includes(items[0] ?? ''));
        expect(testFromCommand(JSON.stringify(items))).toEqual(['CMD', ...items]);
      }),
    );
  });

  test('reads an array of two or more items also with spaces, as in YAML', () => {
    fc.assert(
      fc.property(fc.string(), words, (first, rest) => {
        const items = ['CMD', first, ...rest];
        const text = `[ ${items.map((item) => JSON.stringify(item)).join(', ')} ]`;
        expect(testFromCommand(text)).toEqual(items);
      }),
    );
  });

  test("an operand that the shell's test command accepts is a text for the shell", () => {
    const operand = fc.constantFrom('$A', '$(cat /ready)', '`id -u`', '$A$B', '$?');
    const blank = fc.constantFrom(' ', '\t', '  ');
    fc.assert(
      fc.property(operand, blank, blank, (inner, before, after) => {
        const text = `[${before}"${inner}"${after}]`;
        expect(testFromCommand(text)).toEqual(['CMD-SHELL', text]);
      }),
    );
  });

  test('tests with two and three operands are texts for the shell', () => {
    const operand = fc.constantFrom('"$A"', 'x', '"a,b"', '/ready', '"$(cat /x)"', "''");
    const unary = fc.tuple(fc.constantFrom('-f', '-n', '-z', '!'), operand);
    const binary = fc.tuple(operand, fc.constantFrom('=', '!=', '-eq', '-nt'), operand);
    fc.assert(
      fc.property(fc.oneof(unary, binary), (parts) => {
        const text = `[ ${parts.join(' ')} ]`;
        expect(testFromCommand(text)).toEqual(['CMD-SHELL', text]);
      }),
    );
  });
});
